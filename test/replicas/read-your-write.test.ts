import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, canCluster, type Replica, startCluster } from '../kit/cluster.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { fetchPatiently, pushPatiently } from '../kit/patient-client.ts';

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
    const numbers = Array.from({ length: pushes }, (_, number) => number);

    /** Versions of one id, each pushed to the next replica; several of these go on at once. */
    async function pushAll(id: string): Promise<void> {
      for (let number = numbers.shift(); number !== undefined; number = numbers.shift()) {
        const version = `1.0.${number}`;
        const [writer, ...readers] = [0, 1, 2].map(
          (at) => cluster.replicas[((number ?? 0) + at) % 3] as Replica,
        );
        const nupkg = makeNupkg({ id, version });
        expect([id, version, await pushPatiently(writer as Replica, nupkg, cluster.adminKey)]).toEqual([
          id,
          version,
          201,
        ]);
        for (const { url } of readers) stale.push(...(await findStale(url, id, version)));
      }
    }
    await Promise.all(['one', 'two', 'three', 'four'].map(pushAll));

    expect(stale).toEqual([]);
  });
});

/** What of this replica does not know the version. */
async function findStale(url: string, id: string, version: string): Promise<string[]> {
  const shown: Readonly<Record<string, string>> = {
    [`/nuget/Packages(Id='${id}',Version='${version}')`]: `<d:Version>${version}</d:Version>`,
    [`/nuget/FindPackagesById()?id='${id}'&$orderby=Version%20desc`]: `<d:Version>${version}</d:Version>`,
    [`/nuget/Packages()?$filter=Id%20eq%20'${id}'%20and%20IsLatestVersion`]: `<d:Version>${version}</d:Version>`,
    [`/v3/flat/${id}/index.json`]: `"${version}"`,
    [`/nuget/package/${id}/${version}`]: `${id}.nuspec`,
  };
  const found = await Promise.all(
    Object.entries(shown).map(async ([path, text]) => {
      const answer = await fetchPatiently(`${url}${path}`);
      const isRight = (await answer.text()).includes(text) && answer.status === 200;
      return isRight ? [] : [`${url}${path}: ${answer.status}, without ${version}`];
    }),
  );
  return found.flat();
}
