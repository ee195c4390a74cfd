import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestBytes } from '../../formats/digest.ts';
import { type Cluster, canCluster, type Replica, startCluster } from '../kit/cluster.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { pushNupkg } from '../kit/test-server.ts';

describe.skipIf(!canCluster)('bytes that replicas share (needs PostgreSQL and versitygw)', () => {
  let cluster: Cluster;
  let first: Replica;
  let second: Replica;
  beforeAll(async () => {
    cluster = await startCluster(2);
    [first, second] = cluster.replicas as [Replica, Replica];
  });
  afterAll(() => cluster.stop());

  const headers = () => ({ 'X-NuGet-ApiKey': cluster.adminKey });
  const putPayload = (replica: Replica, version: string, body: Buffer) =>
    fetch(`${replica.url}/dl/tool/${version}/tool-windows-amd64.exe`, {
      method: 'PUT',
      body: new Uint8Array(body),
      headers: headers(),
    });
  const getPayload = (replica: Replica, version: string) =>
    fetch(`${replica.url}/dl/tool/${version}/tool-windows-amd64.exe`);
  const purge = (replica: Replica, id: string, version: string) =>
    fetch(`${replica.url}/api/v1/purges`, {
      method: 'POST',
      headers: { ...headers(), 'Content-Type': 'application/json' },
      body: JSON.stringify({ id, version, reason: 'a test' }),
    });
  const copyOf = (replica: Replica, sha256: string) =>
    join(replica.dataDir, 'replica', 'blobs', sha256.slice(0, 2), sha256);
  const hasCopy = (replica: Replica, sha256: string) =>
    access(copyOf(replica, sha256)).then(
      () => true,
      () => false,
    );
  async function objects(): Promise<string[]> {
    const [, bucket = '', prefix] = /^s3:\/\/([^/]+)\/(.*)$/.exec(cluster.settings.BLOB_STORE ?? '') ?? [];
    const list = new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix });
    const { Contents = [] } = await cluster.s3.client.send(list);
    return Contents.map(({ Key = '' }) => Key.slice(-64));
  }

  it('are gone everywhere after a purge, copies on other replicas too', async () => {
    const nupkg = makeNupkg({ id: 'purged', version: '1.0.0' });
    const { sha256 } = digestBytes(nupkg);
    expect((await pushNupkg(first, nupkg, cluster.adminKey)).status).toBe(201);
    const url = `${second.url}/nuget/package/purged/1.0.0`;
    expect(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(nupkg)).toBe(true);
    await expect.poll(() => hasCopy(second, sha256)).toBe(true);
    expect(await objects()).toContain(sha256);

    expect((await purge(first, 'purged', '1.0.0')).status).toBe(200);

    expect((await fetch(url)).status).toBe(410);
    await expect.poll(() => hasCopy(second, sha256)).toBe(false);
    expect(await objects()).not.toContain(sha256);
  });

  it('are never missing when one replica purges what another one publishes again', async () => {
    const content = Buffer.alloc(300_000, 'the same bytes');
    expect((await putPayload(first, '1.0.0', content)).status).toBe(201);

    const confirmed: string[] = [];
    for (let round = 0; round < 15; round += 1) {
      const [, put] = await Promise.all([
        purge(first, 'tool', `1.0.${round}`),
        putPayload(second, `1.0.${round + 1}`, content),
      ]);
      if (put.status === 201) confirmed.push(`1.0.${round + 1}`);
      else expect(put.status).toBe(503);
      for (const replica of [first, second]) {
        const got = await getPayload(replica, `1.0.${round + 1}`);
        expect(got.status).toBe(put.status === 201 ? 200 : 404);
        if (got.ok) expect(Buffer.from(await got.arrayBuffer()).equals(content)).toBe(true);
      }
    }
    expect(confirmed.length).toBeGreaterThan(0);
  });

  it('are served from copies while the object store is away, and pushes are refused until it is back', async () => {
    const here = makeNupkg({ id: 'here', version: '1.0.0' });
    const elsewhere = makeNupkg({ id: 'elsewhere', version: '1.0.0' });
    const late = makeNupkg({ id: 'late', version: '1.0.0' });
    for (const nupkg of [here, elsewhere])
      expect((await pushNupkg(first, nupkg, cluster.adminKey)).status).toBe(201);
    const download = (id: string) => fetch(`${second.url}/nuget/package/${id}/1.0.0`);
    await (await download('here')).arrayBuffer();
    await expect.poll(() => hasCopy(second, digestBytes(here).sha256)).toBe(true);
    await cluster.s3.pause();

    const [served, refused, pushed] = await Promise.all([
      download('here'),
      download('elsewhere'),
      pushNupkg(second, late, cluster.adminKey),
    ]);
    const isReady = (await fetch(`${second.url}/readyz`)).status;
    await cluster.s3.resume();

    expect(Buffer.from(await served.arrayBuffer()).equals(here)).toBe(true);
    for (const answer of [refused, pushed]) {
      expect(answer.status).toBe(503);
      expect(answer.headers.get('Retry-After')).toBe('5');
      expect(await answer.text()).toContain('object store');
    }
    expect(isReady).toBe(503);
    expect((await download('late')).status).toBe(404);
    expect((await pushNupkg(second, late, cluster.adminKey)).status).toBe(201);
    expect((await fetch(`${first.url}/nuget/package/elsewhere/1.0.0`)).status).toBe(200);
    await expect.poll(async () => (await fetch(`${second.url}/readyz`)).status).toBe(200);
  });
});
