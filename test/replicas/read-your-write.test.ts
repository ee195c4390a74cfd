import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, canCluster, type Replica, startCluster } from '../kit/cluster.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { pushNupkg } from '../kit/test-server.ts';

/** A soak sets more. */
const pushes = Number(process.env.REPLICA_PUSHES ?? 200);

describe.skipIf(!canCluster)('read your write (needs PostgreSQL and versitygw)', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster(3);
  });
  afterAll(() => cluster.stop());

  it('finds what one replica has confirmed on each of the others, in every kind of response', async () => {
    const stale: string[] = [];
    for (let number = 0; number < pushes; number += 1) {
      const at = (offset: number): Replica => cluster.replicas[(number + offset) % 3] as Replica;
      const version = `1.0.${number}`;
      const pushed = await pushNupkg(at(0), makeNupkg({ id: 'written', version }), cluster.adminKey);
      expect([version, pushed.status, pushed.status === 201 ? '' : await pushed.text()]).toEqual([
        version,
        201,
        '',
      ]);

      for (const reader of [at(1), at(2)]) {
        const [entry, list, latest, v3, nupkg] = await Promise.all(
          [
            `/nuget/Packages(Id='written',Version='${version}')`,
            "/nuget/FindPackagesById()?id='written'&$orderby=Version%20desc",
            "/nuget/Packages()?$filter=Id%20eq%20'written'%20and%20IsLatestVersion",
            '/v3/flat/written/index.json',
            `/nuget/package/written/${version}`,
          ].map(async (path) => {
            const answer = await fetch(`${reader.url}${path}`);
            return { status: answer.status, text: await answer.text() };
          }),
        );
        const statuses = [entry, list, latest, v3, nupkg].map((answer) => answer?.status);
        if (statuses.some((status) => status !== 200)) stale.push(`${version} on ${reader.url}: ${statuses}`);
        if (!v3?.text.includes(`"${version}"`)) stale.push(`${version} on ${reader.url}: v3`);
        if (!latest?.text.includes(`<d:Version>${version}</d:Version>`))
          stale.push(`${version} on ${reader.url}: latest`);
      }
    }

    expect(stale).toEqual([]);
  });
});
