import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCommand as createAudit } from '../../server/verbs/audit.ts';
import { createCommand as createBackup } from '../../server/verbs/backup.ts';
import { createCommand as createKeys } from '../../server/verbs/keys.ts';
import { createCommand as createRestore } from '../../server/verbs/restore.ts';
import { createCommand as createVerify } from '../../server/verbs/verify.ts';
import { type Cluster, canCluster, type Replica, startCluster } from '../kit/cluster.ts';
import { createGitClient, type GitClient } from '../kit/git.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { runVerb, runVerbWith, type Said } from '../kit/operator-fixture.ts';
import { openBucketWork, stockFeed } from '../kit/stocked-feed.ts';
import { makeKey, makeTempDir, pushNupkg, startTestServer } from '../kit/test-server.ts';
import { heldUploads } from '../server/api/held-uploads.ts';

/** All rows that are the same in the data of one server and of several, by table. */
function rowsIn(dataDir: string): Record<string, unknown[]> {
  const db = new Database(join(dataDir, 'catalog.db'), { readonly: true });
  try {
    const names = db
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
      .pluck()
      .all() as string[];
    // A backup is noted when it is written, and is not in itself.
    const ofFolder = ['state', 'pending_blobs', 'last_backup'];
    const shared = names.filter((name) => !ofFolder.includes(name));
    return Object.fromEntries(
      shared.sort().map((name) => {
        const rows = db.prepare(`SELECT * FROM "${name}"`).all();
        // A restore adds an entry.
        const kept = name === 'audit' ? rows.filter((row) => Object(row).kind !== 'data restored') : rows;
        return [name, kept.map((row) => JSON.stringify(row)).sort()];
      }),
    );
  } finally {
    db.close();
  }
}

describe.skipIf(!canCluster)('from one server to many and back (needs PostgreSQL and versitygw)', () => {
  let cluster: Cluster;
  let running: Replica;
  let other: Replica;
  let dir: string;
  let alone: string;
  let saved: string;
  let git: GitClient;
  let key: string;
  let heads: Readonly<Record<string, string>>;
  const clientPath = '/git/c/it-1/go-win-tools.git';

  beforeAll(async () => {
    cluster = await startCluster(2);
    [running, other] = cluster.replicas as [Replica, Replica];
    await other.stop();
    dir = await makeTempDir();
    git = await createGitClient(dir, cluster.adminKey);
    alone = join(dir, 'alone');
    saved = join(dir, 'alone.tgz');
    await fillOneServer();
    heads = await headsAt(alone);
    expect(await runVerb(createBackup, alone, saved)).toMatchObject({ code: 0 });
  });
  afterAll(async () => {
    await cluster.stop();
    await rm(dir, { recursive: true, force: true });
  });

  /** Packages, payloads, bucket, keys, rings, clients, and a rollout that has given a version to one of them. */
  async function fillOneServer(): Promise<void> {
    const server = await startTestServer({ dataDir: alone });
    ({ key } = await stockFeed(server, dir));
    const { whole, call } = heldUploads(server, await makeKey(server, ['push', 'rollout'], [], 'ann'));
    await call('POST', '/rings', server.adminKey, { name: 'canary', globs: ['it-*'] });
    await expectFound(server.url, "/nuget/c/it-1/FindPackagesById()?id='delve'");
    await whole('1.22.0');
    const plan = { steps: [{ ring: 'canary', hold: '1d' }] };
    const [status] = await call('POST', '/rollouts', undefined, { tool: 'delve', version: '1.22.0', plan });
    expect(status).toBe(201);
    await expectFound(server.url, '/nuget/c/it-1/package/delve/1.22.0');
    await git.clone(`${server.url}${clientPath}`, 'client');
    await server.stop();
  }

  const env = (more: Record<string, string> = {}) => ({ ...cluster.settings, ...more });
  const restore = (settings: Record<string, string>, ...args: string[]): Promise<Said> =>
    runVerbWith(settings, createRestore, dir, ...args);
  const headsAt = async (dataDir: string): Promise<Record<string, string>> => {
    const repo = join(dataDir, 'bucket', 'repo.git');
    const lines = await git.run(dir, `--git-dir=${repo}`, 'show-ref');
    return Object.fromEntries(
      lines
        .split('\n')
        .map((line) => line.split(' ').reverse() as [string, string])
        .filter(([ref]) => /^refs\/(heads|tags)\//.test(ref)),
    );
  };
  async function expectFound(url: string, path: string): Promise<Buffer> {
    const answer = await fetch(`${url}${path}`);
    expect([path, answer.status]).toEqual([path, 200]);
    return Buffer.from(await answer.arrayBuffer());
  }

  it('fills an empty database and store beside a server that runs on them', async () => {
    const said = await restore(env(), saved, '--json');

    expect(said).toMatchObject({ code: 0, error: undefined });
    expect(said.stderr).toMatch(
      /trusted publishers and issuers .* Revoke, rotate and purge\nthem again, remove those/s,
    );
    expect(JSON.parse(said.stdout)).toMatchObject({ packages: 5, payloads: 2, missing: [] });
    expect(said.stdout + said.stderr).not.toContain('feed-password');
    await other.start();
    const mine = makeNupkg({ id: 'Sample', version: '1.1.0' });
    for (const { url } of [running, other]) {
      expect(await expectFound(url, '/nuget/package/Sample/1.1.0')).toEqual(mine);
      expect(await expectFound(url, '/dl/buf/1.32.0/buf-windows-amd64.exe')).toEqual(
        Buffer.from('buf 1.32.0 as an exe'),
      );
      const clone = await git.clone(`${url}/git/main/go-win-tools.git`, `main-${new URL(url).port}`);
      expect(await git.run(clone, 'rev-parse', 'HEAD')).toBe(heads['refs/heads/main']);
      expect(await git.run(clone, 'tag')).toBe('buf/v1.32.0');
      // A machine of the rollout goes on with the commits that it has.
      const client = join(dir, 'client');
      await git.run(client, 'fetch', '--quiet', `${url}${clientPath}`, 'HEAD');
      expect(await git.run(client, 'rev-parse', 'FETCH_HEAD')).toBe(
        await git.run(client, 'rev-parse', 'HEAD'),
      );
      await expectFound(url, '/nuget/c/it-1/package/delve/1.22.0');
    }
    const pushed = await pushNupkg(other, makeNupkg({ id: 'Sample', version: '3.0.0' }), key);
    expect(pushed.status).toBe(201);
    await (await openBucketWork(running, dir, 'afterwards')).release('buf', '1.33.0');
    await expectFound(other.url, '/m/buf.json');
  });

  it('leaves a feed that is sound to the last byte, with its audit log', async () => {
    const verified = await runVerbWith(env(), createVerify, dir);
    expect(verified).toMatchObject({ code: 0 });
    expect(verified.stdout).toContain('all is well');
    const audited = await runVerbWith(env(), createAudit, dir, 'verify');
    expect(audited).toMatchObject({ code: 0 });
    const { stdout } = await runVerbWith(env(), createAudit, dir, 'list');
    expect(stdout).toContain('data restored: alone.tgz');
    expect(stdout).toContain('rollout started: delve 1.22.0');
  });

  it('refuses a database or a store that is not empty, and changes neither', async () => {
    const again = await restore(env(), saved);
    expect(again).toMatchObject({ code: 1, stdout: '', error: { code: 'DATABASE_FILLED' } });
    expect(again.error?.message).toMatch(/is not empty: there are rows in .*packages/);

    const database = { DATABASE_URL: await cluster.postgres.newDatabase() };
    const elsewhere = await restore(env(database), saved);
    expect(elsewhere).toMatchObject({ code: 1, error: { code: 'STORE_FILLED' } });
    expect(await cluster.postgres.sql('SELECT count(*) FROM packages', database.DATABASE_URL)).toBe('0');

    expect(await restore(env(), saved, '--replace')).toMatchObject({
      code: 2,
      error: { code: 'RESTORE_SHARED' },
    });
    const verified = await runVerbWith(env(), createVerify, dir);
    expect(verified.stdout).toContain('all is well');
  });

  it('takes up what an earlier try left in the store', async () => {
    const mine = makeNupkg({ id: 'Sample', version: '1.1.0' });
    const sha256 = createHash('sha256').update(mine).digest('hex');
    const place = { Bucket: await cluster.s3.createBucket(), Key: `${sha256.slice(0, 2)}/${sha256}` };
    await cluster.s3.client.send(new PutObjectCommand({ ...place, Body: mine }));

    const settings = env({
      DATABASE_URL: await cluster.postgres.newDatabase(),
      BLOB_STORE: `s3://${place.Bucket}`,
    });
    expect(await restore(settings, saved)).toMatchObject({ code: 0 });
    expect((await runVerbWith(settings, createVerify, dir)).stdout).toContain('all is well');
  });

  it('comes back to one server with every row and every ref', async () => {
    const settings = env({
      DATABASE_URL: await cluster.postgres.newDatabase(),
      BLOB_STORE: `s3://${await cluster.s3.createBucket()}/feed`,
    });
    expect(await restore(settings, saved)).toMatchObject({ code: 0 });
    const file = join(dir, 'shared.tar');
    expect(await runVerbWith(settings, createBackup, dir, file)).toMatchObject({ code: 0 });
    const back = join(dir, 'back');

    // A folder is named: the drill with a backup, whatever the settings are.
    expect(await restore(settings, file, '--into', back)).toMatchObject({ code: 0 });

    expect(rowsIn(back)).toEqual(rowsIn(alone));
    expect(await headsAt(back)).toEqual(heads);
    expect(existsSync(join(back, 'replica'))).toBe(false);
    expect(await runVerb(createVerify, back)).toMatchObject({ code: 0 });
    expect(await runVerb(createAudit, back, 'verify')).toMatchObject({ code: 0 });
    const server = await startTestServer({ dataDir: back });
    try {
      expect(await expectFound(server.url, '/nuget/package/Sample/1.1.0')).toEqual(
        makeNupkg({ id: 'Sample', version: '1.1.0' }),
      );
      await (await openBucketWork(server, dir, 'back-again')).release('buf', '1.34.0');
      const client = join(dir, 'client');
      await git.run(client, 'pull', '--quiet', '--ff-only', `${server.url}${clientPath}`);
      expect(await readFile(join(client, 'bucket', 'buf.json'), 'utf8')).toContain('1.34.0');
    } finally {
      await server.stop();
    }
    expect((await runVerb(createKeys, back, 'list')).stdout).toContain('push unlist');
  });
});
