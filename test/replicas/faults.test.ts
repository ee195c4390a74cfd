import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, canCluster, type Replica, startCluster } from '../kit/cluster.ts';
import { mainJs } from '../kit/main-js.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { fetchPatiently, pushPatiently } from '../kit/patient-client.ts';
import { run } from '../kit/programs.ts';
import { startServe } from '../kit/serve-process.ts';
import { adminKey, makeTempDir, pushNupkg } from '../kit/test-server.ts';

const patiently = { timeout: 120_000, interval: 100 };

describe.skipIf(!canCluster)('replicas that lose each other (needs PostgreSQL and versitygw)', () => {
  let cluster: Cluster;
  let one: Replica;
  let two: Replica;
  let three: Replica;
  beforeAll(async () => {
    cluster = await startCluster(3);
    [one, two, three] = cluster.replicas as [Replica, Replica, Replica];
  });
  afterAll(() => cluster.stop());

  const push = async (replica: Replica, id: string, version = '1.0.0', key = adminKey): Promise<number> =>
    (await pushNupkg(replica, makeNupkg({ id, version }), key)).status;

  const pushed = (replica: Replica, id: string, version = '1.0.0', key = adminKey): Promise<number> =>
    pushPatiently(replica, makeNupkg({ id, version }), key);

  async function statusOf(
    { url }: Replica,
    path: string,
    get: typeof fetchPatiently = fetch,
  ): Promise<number> {
    const answer = await get(`${url}${path}`);
    await answer.arrayBuffer();
    return answer.status;
  }
  const patientStatusOf = (replica: Replica, path: string) => statusOf(replica, path, fetchPatiently);
  const entry = (id: string): string => `/nuget/Packages(Id='${id}',Version='1.0.0')`;

  const untilReady = (...replicas: Replica[]) =>
    expect
      .poll(
        () => Promise.all(replicas.map((replica) => statusOf(replica, '/readyz').catch(() => 0))),
        patiently,
      )
      .toEqual(replicas.map(() => 200));

  /** Pushes new ids, one after the other, until it is stopped; errors of the connection count as not confirmed. */
  function pushOn(replica: Replica, prefix: string) {
    const confirmed: string[] = [];
    const tried: string[] = [];
    let isEnding = false;
    const done = (async () => {
      for (let number = 0; !isEnding; number += 1) {
        const id = `${prefix}${number}`;
        tried.push(id);
        const status = await push(replica, id).catch(() => 0);
        if (status === 201) confirmed.push(id);
      }
    })();
    return {
      confirmed,
      tried,
      async end(): Promise<void> {
        isEnding = true;
        await done;
      },
    };
  }

  async function expectWhole(replica: Replica, ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      expect([id, await patientStatusOf(replica, entry(id))]).toEqual([id, 200]);
      const download = await fetchPatiently(`${replica.url}/nuget/package/${id}/1.0.0`);
      expect([id, download.status]).toEqual([id, 200]);
      const isSame = Buffer.from(await download.arrayBuffer()).equals(makeNupkg({ id }));
      expect([id, isSame]).toEqual([id, true]);
    }
  }

  it('refuse a revoked key everywhere, once one of them has confirmed that', async () => {
    const headers = { 'X-NuGet-ApiKey': adminKey, 'Content-Type': 'application/json' };
    for (let number = 0; number < 10; number += 1) {
      const created = await fetchPatiently(`${one.url}/api/v1/keys`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ name: `key ${number}`, scopes: ['push'], ids: [] }),
      });
      const { id, key } = (await created.json()) as { readonly id: string; readonly key: string };
      for (const [at, replica] of cluster.replicas.entries()) {
        expect(await pushed(replica, `of-key-${number}-${at}`, '1.0.0', key)).toBe(201);
      }

      const revoked = await fetchPatiently(`${three.url}/api/v1/keys/${id}`, { method: 'DELETE', headers });

      expect(revoked.status).toBe(204);
      for (const replica of cluster.replicas)
        expect(await pushed(replica, 'refused', '1.0.0', key)).toBe(403);
    }
  });

  it('lose nothing confirmed when one of them is killed', async () => {
    const load = pushOn(one, 'killed-');
    await expect.poll(() => load.confirmed.length, patiently).toBeGreaterThan(5);

    await one.kill();
    await load.end();

    await expectWhole(two, load.confirmed);
    // The one that got no answer is there as a whole or not at all.
    const unsure = load.tried.filter((id) => !load.confirmed.includes(id));
    for (const id of unsure) expect([201, 409]).toContain(await pushed(three, id));
    await expectWhole(two, unsure);
    await one.start();
    await expectWhole(one, load.tried);
  });

  it('go on when the one that changes the database is frozen', async () => {
    // It holds the lock for longer, and is still fast enough to have what others confirmed.
    one.databaseWire.delay(5);
    const load = pushOn(one, 'frozen-');
    try {
      await expect
        .poll(async () => {
          one.pause();
          const open = await cluster.postgres.sql(
            `SELECT count(*) FROM pg_stat_activity JOIN pg_locks USING (pid)
             WHERE relation = 'replica_state'::regclass AND mode = 'RowShareLock' AND granted AND state = 'idle in transaction'`,
          );
          if (open === '0') one.resume();
          return open;
        }, patiently)
        .toBe('1');

      expect(await pushed(two, 'meanwhile')).toBe(201);
      expect(await patientStatusOf(three, entry('meanwhile'))).toBe(200);
    } finally {
      one.databaseWire.heal();
      one.resume();
      await load.end();
    }

    await untilReady(one);
    await expectWhole(one, ['meanwhile', ...load.confirmed]);
    await expectWhole(two, load.confirmed);
    expect(await pushed(one, 'after-the-frost')).toBe(201);
    expect(await patientStatusOf(three, entry('after-the-frost'))).toBe(200);
  });

  it('answer with no old list while one of them cannot reach the database, and that one comes back by itself', async () => {
    expect(await pushed(one, 'divided', '1.0.0')).toBe(201);
    const list = async ({ url }: Replica) => {
      const answer = await fetch(`${url}/v3/flat/divided/index.json`);
      return {
        status: answer.status,
        text: await answer.text(),
        retryAfter: answer.headers.get('Retry-After'),
      };
    };
    expect(await patientStatusOf(three, '/v3/flat/divided/index.json')).toBe(200);
    three.databaseWire.silence();
    try {
      expect(await pushed(one, 'divided', '2.0.0')).toBe(201);

      expect(await list(three)).toMatchObject({ status: 503, retryAfter: expect.stringMatching(/^\d+$/) });
      await expect.poll(() => statusOf(three, '/readyz'), patiently).toBe(503);
      // What never changes goes on.
      expect(await statusOf(three, '/nuget/package/divided/1.0.0')).toBe(200);
      expect(await statusOf(three, '/healthz')).toBe(200);
      expect(await push(three, 'refused')).toBe(503);
      expect(await pushed(two, 'divided', '3.0.0')).toBe(201);
    } finally {
      three.databaseWire.heal();
    }

    await untilReady(three);
    const found = await fetchPatiently(`${three.url}/v3/flat/divided/index.json`);
    expect(await found.text()).toContain('"3.0.0"');
    expect(await pushed(three, 'united')).toBe(201);
    expect(await patientStatusOf(one, entry('united'))).toBe(200);
  });

  it('confirm no package whose bytes they cannot store, and still give what they have', async () => {
    expect(await pushed(one, 'kept')).toBe(201);
    await expectWhole(two, ['kept']);

    await cluster.s3.pause();
    try {
      expect([500, 502, 503, 504]).toContain(await push(one, 'unstored'));
      for (const replica of cluster.replicas) {
        expect(await patientStatusOf(replica, entry('unstored'))).toBe(404);
        expect(await patientStatusOf(replica, '/nuget/package/unstored/1.0.0')).toBe(404);
      }
      await expectWhole(two, ['kept']);
    } finally {
      await cluster.s3.resume();
    }

    expect(await pushed(one, 'unstored')).toBe(201);
    for (const replica of cluster.replicas) await expectWhole(replica, ['unstored']);
  });

  it('lose nothing confirmed when PostgreSQL is killed, still give what never changes, and go on when it is back', async () => {
    expect(await pushed(one, 'hot')).toBe(201);
    for (const replica of cluster.replicas) await expectWhole(replica, ['hot']);
    const loads = cluster.replicas.map((replica, at) => pushOn(replica, `database-${at}-`));
    await expect
      .poll(() => Math.min(...loads.map(({ confirmed }) => confirmed.length)), patiently)
      .toBeGreaterThan(3);

    await cluster.postgres.kill();
    try {
      await Promise.all(loads.map((load) => load.end()));
      for (const replica of cluster.replicas) {
        await expect.poll(() => statusOf(replica, '/readyz'), patiently).toBe(503);
        expect(await statusOf(replica, '/nuget/package/hot/1.0.0')).toBe(200);
        expect(await statusOf(replica, entry('hot'))).toBe(503);
        expect(await push(replica, 'refused')).toBe(503);
      }
    } finally {
      await cluster.postgres.start();
    }

    await untilReady(...cluster.replicas);
    const confirmed = loads.flatMap((load) => load.confirmed);
    for (const replica of cluster.replicas) await expectWhole(replica, confirmed);
    for (const replica of cluster.replicas) {
      expect(await pushed(replica, `again-${cluster.replicas.indexOf(replica)}`)).toBe(201);
    }
  });

  it('take a primary that became a standby for none, say so, and go on when it is one again', async () => {
    for (const replica of cluster.replicas) await expectWhole(replica, ['hot']);

    await cluster.postgres.demote();
    try {
      for (const replica of cluster.replicas) {
        await expect.poll(() => replica.logged(), patiently).toContain('is read-only, as a standby is');
        expect(await statusOf(replica, '/readyz')).toBe(503);
        expect(await statusOf(replica, '/nuget/package/hot/1.0.0')).toBe(200);
        expect(await statusOf(replica, entry('hot'))).toBe(503);
        expect(await push(replica, 'refused')).toBe(503);
      }
      const { code, stderr } = await run(process.execPath, [mainJs, 'feed:migrate'], {
        env: cluster.settings,
      });
      expect([code, stderr]).toEqual([
        1,
        expect.stringContaining('DATABASE_URL has to name the primary server'),
      ]);
      await expect(startServe({ ...cluster.settings, DATA_DIR: await makeTempDir() })).rejects.toThrow(
        'DATABASE_URL has to name the primary server',
      );
    } finally {
      await cluster.postgres.promote();
    }

    await untilReady(...cluster.replicas);
    expect(await pushed(one, 'promoted')).toBe(201);
    for (const replica of cluster.replicas) await expectWhole(replica, ['hot', 'promoted']);
  });
});
