import { readFile, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { DeleteObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli } from '../kit/cli.ts';
import { type Cluster, canCluster, startCluster } from '../kit/cluster.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { makeTempDir, productDir, pushNupkg, startTestServer } from '../kit/test-server.ts';

describe.skipIf(!canCluster)('feed:doctor and replicas (needs PostgreSQL and versitygw)', () => {
  let cluster: Cluster;
  let balancer: Server;
  let dir: string;
  beforeAll(async () => {
    dir = await makeTempDir();
    cluster = await startCluster(2);
    const first = new URL(cluster.replicas[0]?.url ?? '');
    balancer = createServer((client) => {
      const server = connect(Number(first.port), first.hostname);
      for (const socket of [client, server]) socket.on('error', () => client.destroy());
      client.pipe(server).pipe(client);
    });
    const { port } = new URL(cluster.publicUrl);
    await new Promise<void>((resolve) => balancer.listen(Number(port), '127.0.0.1', resolve));
  });
  afterAll(async () => {
    balancer.close();
    await cluster.stop();
    await rm(dir, { recursive: true, force: true });
  });

  type Lines = Readonly<Record<string, { readonly state: string; readonly says: string }>>;

  /** On a machine of its own, as far as the doctor can tell. */
  async function look(env: Readonly<Record<string, string>> = {}): Promise<Lines> {
    const settings = { ...cluster.settings, DATA_DIR: join(dir, 'none'), ...env };
    const said = await cli(settings, 'feed:doctor', '--json');
    const lines = said.stdout.trimEnd().split('\n');
    return Object.fromEntries(
      lines.map((line) => JSON.parse(line)).map(({ check, ...rest }) => [check, rest]),
    );
  }

  it('finds both, the database and the object store, from another machine', async () => {
    const lines = await look();

    const found = Object.entries(lines).map(([name, { state }]) => [name, state]);
    expect(Object.fromEntries(found)).toEqual({
      settings: 'ok',
      server: 'skip',
      'public-url': 'ok',
      tls: 'skip',
      certificate: 'skip',
      links: 'ok',
      bucket: 'ok',
      proxy: 'ok',
      clock: 'ok',
      disk: 'skip',
      temp: 'ok',
      database: 'ok',
      'object-store': 'ok',
      objects: 'ok',
      git: 'skip',
      replicas: 'ok',
      metrics: 'ok',
      // There is none yet.
      backup: 'warn',
      keys: 'skip',
      trace: 'skip',
      alerts: 'skip',
    });
    expect(lines.clock?.says).toBe('the same here as at PUBLIC_URL, PostgreSQL, the object store');
    expect(lines['object-store']?.says).toMatch(/^s3:\/\/\S+: put, get, range, list, delete took \d+ ms$/);
    const { version } = JSON.parse(await readFile(join(productDir, 'package.json'), 'utf8'));
    expect(lines.replicas?.says).toBe(`2 servers are connected, all of version ${version}`);
    expect(JSON.stringify(lines)).not.toMatch(/feed-password|test-secret-key/);
    const { Contents = [] } = await cluster.s3.client.send(
      new ListObjectsV2Command({ Bucket: new URL(cluster.settings.BLOB_STORE ?? '').hostname }),
    );
    expect(Contents.map(({ Key }) => Key).filter((key) => key?.includes('doctor'))).toEqual([]);
  });

  it('finds replicas of different versions', async () => {
    const { settings } = cluster;
    const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/(.*)$/.exec(settings.BLOB_STORE ?? '') ?? [];
    const newer = await startTestServer({
      databaseUrl: cluster.postgres.url,
      blobStore: { bucket, prefix, endpoint: cluster.s3.endpoint, region: 'us-east-1', forcePathStyle: true },
      publicUrl: cluster.publicUrl,
      server: { version: '99.0.0' },
    });

    const { replicas } = await look();

    await newer.stop();
    expect(replicas).toEqual({
      state: 'warn',
      says: expect.stringMatching(
        /^3 servers are connected, of different versions: .*\b99\.0\.0 at 127\.0\.0\.1/,
      ),
      todo: expect.stringContaining('finish the upgrade'),
    });
    expect((await look()).replicas?.state).toBe('ok');
  });

  it('reads of the last backup in the database, where no server can be asked', async () => {
    const backedUp = await cli(cluster.settings, 'feed:backup', join(dir, 'feed.tar'));
    expect(backedUp.code, backedUp.stderr).toBe(0);

    const lines = await look({ PUBLIC_URL: 'http://127.0.0.1:1' });

    expect(lines.metrics).toMatchObject({ state: 'skip', says: 'not checked, since public-url failed' });
    expect(lines.backup).toMatchObject({ state: 'ok', says: 'the last backup is less than a day old' });
  });

  it('takes the server of another feed in DATA_DIR for no replica', async () => {
    const other = await startTestServer();
    const { server, metrics } = await look({ DATA_DIR: other.dataDir });
    await other.stop();

    expect(server).toMatchObject({
      state: 'fail',
      says: expect.stringMatching(/ has its data there, not in the database of DATABASE_URL$/),
    });
    expect(metrics).toMatchObject({ state: 'skip', says: 'not checked, since server failed' });
  });

  it('finds the object store away', async () => {
    await cluster.s3.pause();
    const { 'object-store': store, database } = await look();
    await cluster.s3.resume();

    expect(store).toMatchObject({
      state: 'fail',
      says: expect.stringMatching(/: put failed \(.*ECONNREFUSED/),
    });
    expect(database?.state).toBe('ok');
  });

  it('finds that the object store no longer has what the database names', async () => {
    const [first] = cluster.replicas;
    const pushed = await pushNupkg({ url: first?.url ?? '' }, makeNupkg(), cluster.adminKey);
    expect(pushed.status).toBe(201);
    expect((await look()).objects).toMatchObject({ state: 'ok', says: expect.stringMatching(/^the [1-9]/) });
    const Bucket = new URL(cluster.settings.BLOB_STORE ?? '').hostname;
    const { client } = cluster.s3;
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
    for (const { Key } of Contents) await client.send(new DeleteObjectCommand({ Bucket, Key }));

    expect((await look()).objects).toEqual({
      state: 'fail',
      says: expect.stringMatching(/^(\d+) of the \1 newest .* are not in the store, such as [0-9a-f]{64}$/),
      todo: expect.stringContaining('feed:verify names all'),
    });
  });

  it('finds PostgreSQL silent, and is not silent with it', async () => {
    await cluster.postgres.pause();
    const lines = await look();
    await cluster.postgres.resume();

    for (const name of ['database', 'replicas']) {
      expect(lines[name]).toMatchObject({
        state: 'fail',
        says: expect.stringMatching(/^The database postgres:\/\/127\.0\.0\.1:\d+\/feed /),
      });
    }
    expect(lines['public-url']?.state).toBe('warn');
    expect(lines['object-store']?.state).toBe('ok');
  });
});
