import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, canCluster, type Replica, startCluster } from '../kit/cluster.ts';
import { mainJs } from '../kit/main-js.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { fetchPatiently, pushPatiently } from '../kit/patient-client.ts';
import { run } from '../kit/programs.ts';
import { productDir } from '../kit/test-server.ts';

const numbers = Array.from({ length: 12 }, (_, number) => number);

describe.skipIf(!canCluster)(
  'three replicas that push versions of one id (needs PostgreSQL and versitygw)',
  () => {
    let cluster: Cluster;
    beforeAll(async () => {
      cluster = await startCluster(3);
    });
    afterAll(() => cluster.stop());

    it('have each version, one latest and one absolute latest', async () => {
      const versions = numbers.flatMap((number) => [
        `1.${number}.0`,
        `1.${number}.1`,
        `2.0.0-beta${number + 10}`,
      ]);
      const statuses = await Promise.all(
        versions.map(async (version, at) => {
          const nupkg = makeNupkg({ id: 'contested', version });
          return pushPatiently(cluster.replicas[at % 3] as Replica, nupkg, cluster.adminKey);
        }),
      );
      expect(new Set(statuses)).toEqual(new Set([201]));

      for (const { url } of cluster.replicas) {
        const feed = await (await fetchPatiently(`${url}/nuget/FindPackagesById()?id='contested'`)).text();
        const entries = feed.split('<entry').slice(1);
        const flagged = (flag: string): string[] =>
          entries
            .filter((entry) => entry.includes(`<d:${flag} m:type="Edm.Boolean">true</d:${flag}>`))
            .map(versionOf);

        expect(entries.map(versionOf).toSorted()).toEqual(versions.toSorted());
        expect(flagged('IsLatestVersion')).toEqual(['1.11.1']);
        expect(flagged('IsAbsoluteLatestVersion')).toEqual(['2.0.0-beta21']);
      }
    });

    it('take a version once, whichever of them gets it first', async () => {
      for (const number of numbers.slice(0, 6)) {
        const answers = await Promise.all(
          cluster.replicas.map(async (replica, at) => {
            const nupkg = makeNupkg({
              id: 'raced',
              version: `1.0.${number}`,
              files: { 'tools/from': `replica ${at}` },
            });
            return { nupkg, status: await pushPatiently(replica, nupkg, cluster.adminKey) };
          }),
        );
        expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409]);

        const winner = answers.find(({ status }) => status === 201)?.nupkg;
        for (const { url } of cluster.replicas) {
          const download = await fetchPatiently(`${url}/nuget/package/raced/1.0.${number}`);
          expect(Buffer.from(await download.arrayBuffer()).equals(winner ?? Buffer.alloc(0))).toBe(true);
        }
      }
    });

    it('have one whole audit chain, the same on each', async () => {
      const { code, stdout } = await run(process.execPath, [mainJs, 'feed:audit', 'verify'], {
        cwd: productDir,
        env: cluster.settings,
      });
      expect([code, stdout]).toEqual([0, expect.stringContaining('The audit log is intact')]);
      const head = /^Its head.*: (\w{64})$/m.exec(stdout)?.[1];

      for (const { url } of cluster.replicas) {
        const answer = await fetchPatiently(`${url}/api/v1/audit?limit=1`, {
          headers: { 'X-NuGet-ApiKey': cluster.adminKey },
        });
        expect(await answer.json()).toMatchObject({ head: { hash: head } });
      }
    });
  },
);

function versionOf(entry: string): string {
  return /<d:Version>([^<]+)</.exec(entry)?.[1] ?? '';
}
