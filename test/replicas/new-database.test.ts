import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, canCluster, type Replica, startCluster } from '../kit/cluster.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { type ServeProcess, startServe } from '../kit/serve-process.ts';
import { makeTempDir, pushNupkg } from '../kit/test-server.ts';

describe.skipIf(!canCluster)('a new database (needs PostgreSQL and versitygw)', () => {
  let cluster: Cluster;
  let dir: string;
  beforeAll(async () => {
    cluster = await startCluster(1);
    dir = await makeTempDir();
  });
  afterAll(async () => {
    await cluster.stop();
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  });

  const start = (name: string, settings: Record<string, string>): Promise<ServeProcess> =>
    startServe({ ...cluster.settings, DATA_DIR: join(dir, name), ...settings });

  it('warns of the object store of another feed, is not ready, and takes nothing from it', async () => {
    const [feed] = cluster.replicas as [Replica];
    expect(
      (await pushNupkg(feed, makeNupkg({ id: 'delve', version: '1.0.0' }), cluster.adminKey)).status,
    ).toBe(201);
    const DATABASE_URL = await cluster.postgres.newDatabase();

    const other = await start('once', { DATABASE_URL });
    expect(other.stderr()).toMatch(
      /"store":"s3:\/\/[^"]+\/feed","sha256":"[0-9a-f]{64}".*the database is new/,
    );
    expect((await fetch(`${other.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${other.url}/nuget/package/delve/1.0.0`)).status).toBe(404);
    await other.end('SIGTERM');

    expect((await fetch(`${feed.url}/nuget/package/delve/1.0.0`)).status).toBe(200);
    await feed.stop();
    await feed.start();
  });

  it('is used by servers that start on it at once, beside one that has stored something', async () => {
    const settings = {
      DATABASE_URL: await cluster.postgres.newDatabase(),
      BLOB_STORE: `s3://${await cluster.s3.createBucket()}`,
    };
    const [first, second] = await Promise.all(['a', 'b'].map((name) => start(name, settings)));
    const more: ServeProcess[] = [];
    try {
      const nupkg = makeNupkg({ id: 'delve', version: '1.0.0' });
      const server = { url: first?.url ?? '', adminKey: cluster.adminKey };
      const [pushed, third] = await Promise.all([
        pushNupkg(server, nupkg, cluster.adminKey),
        start('c', settings),
      ]);
      more.push(third);
      expect(pushed.status).toBe(201);
      expect((await fetch(`${third.url}/nuget/package/delve/1.0.0`)).status).toBe(200);
    } finally {
      await Promise.all([first, second, ...more].map((server) => server?.end('SIGKILL')));
    }
  });
});
