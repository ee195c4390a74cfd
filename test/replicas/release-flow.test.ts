import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, canCluster, type Replica, startCluster } from '../kit/cluster.ts';
import { type Forge, startForge } from '../kit/forge.ts';
import { delveRelease, type Generator, makeGenerator } from '../kit/generator.ts';
import { createGitClient, type GitClient } from '../kit/git.ts';
import { type Balancer, startHaproxy } from '../kit/haproxy.ts';
import { mainJs } from '../kit/main-js.ts';
import { fetchPatiently, untilCompared } from '../kit/patient-client.ts';
import { hasProgram, run } from '../kit/programs.ts';
import { adminKey, makeTempDir, productDir } from '../kit/test-server.ts';
import { offeredByChoco } from '../wire/offered.ts';

const machines = Array.from({ length: 12 }, (_, at) => `pc-${at}`);
const plan = 'steps: [{ percent: 30, hold: 1h }, { percent: 70, hold: 1h }]\n';

/** Each test goes on from what the one before has left. */
describe.skipIf(!canCluster || !hasProgram('haproxy') || !hasProgram('git'))(
  'releases and rollouts on three replicas (needs PostgreSQL, versitygw, haproxy and git)',
  () => {
    let cluster: Cluster;
    let balancer: Balancer;
    let forge: Forge;
    let generator: Generator;
    let git: GitClient;
    let clones = 0;
    const highest = new Map<string, string>();

    beforeAll(async () => {
      cluster = await startCluster(3, { TRUST_PROXY: 'loopback' });
      const urls = cluster.replicas.map(({ url }) => url);
      balancer = await startHaproxy(Number(new URL(cluster.publicUrl).port), urls);
      forge = await startForge();
      forge.addRepository(
        'go-delve/delve',
        ['1.26.4', '1.26.3', '1.26.2'].map((one) => delveRelease(one)),
      );
      generator = await makeGenerator({
        FEED_URL: `${balancer.url}/nuget`,
        FEED_API_KEY: adminKey,
        GITHUB_API_URL: forge.apiUrl,
      });
      await writeFile(join(generator.dir, 'plan.yaml'), plan);
      git = await createGitClient(await makeTempDir());
    });
    afterAll(async () => {
      await generator?.stop();
      await forge?.stop();
      await balancer?.stop();
      await cluster?.stop();
    });

    /** Each request of the verb may reach another replica. */
    async function mustRun(verb: string, ...args: string[]): Promise<void> {
      const { exitCode, stderr, stdout } = await generator.run(verb, args);
      expect(exitCode, `${verb} ${args.join(' ')}\n${stdout}\n${stderr}`).toBe(0);
    }

    /** What every replica offers a machine, to Chocolatey and Scoop alike; it never goes back. */
    async function offered(machine: string): Promise<string> {
      const found = new Set<string | undefined>();
      for (const { url } of cluster.replicas) {
        found.add(
          await untilCompared(() => offeredByChoco(url, machine, 'delve', machines.indexOf(machine))),
        );
        const manifest = await fetchPatiently(`${url}/m/c/${machine}/delve.json`);
        found.add(((await manifest.json()) as { readonly version: string }).version);
      }
      expect([machine, [...found]]).toEqual([machine, [expect.any(String)]]);
      const [version = ''] = found;
      const before = highest.get(machine) ?? version;
      const order = (version ?? '').localeCompare(before, 'en', { numeric: true });
      expect(order, `${machine}: ${before}, ${version}`).toBeGreaterThanOrEqual(0);
      highest.set(machine, version ?? '');
      return version ?? '';
    }

    /** Which versions the machines are offered; the buckets agree, on each replica and in a clone from one of them. */
    async function offers(): Promise<readonly string[]> {
      const versions: string[] = [];
      for (const machine of machines) versions.push(await offered(machine));
      const replica = cluster.replicas[clones % 3] as Replica;
      const machine = machines[clones % machines.length] ?? '';
      clones += 1;
      const clone = await untilCompared(() =>
        git.clone(`${replica.url}/git/c/${machine}/go-win-tools.git`, `clone-${clones}`),
      );
      const text = await readFile(join(clone, 'bucket', 'delve.json'), 'utf8');
      expect([machine, JSON.parse(text).version]).toEqual([machine, versions[machines.indexOf(machine)]]);
      for (const address of ['main', 'beta', `c/${machine}`]) {
        const refs = new Set<string>();
        for (const { url } of cluster.replicas) {
          refs.add(
            await untilCompared(() =>
              git.run(git.dir, 'ls-remote', `${url}/git/${address}/go-win-tools.git`),
            ),
          );
        }
        expect([address, refs.size]).toEqual([address, 1]);
      }
      return [...new Set(versions)].toSorted();
    }

    it('give a promoted version to everybody', async () => {
      await mustRun('release:beta', 'delve@1.26.2');
      await mustRun('release:promote', 'delve');

      expect(await offers()).toEqual(['1.26.2']);
    });

    it('roll out in steps, halt and resume', async () => {
      await mustRun('release:beta', 'delve@1.26.3');
      await mustRun('release:rollout', 'start', 'delve', '--plan', 'plan.yaml');
      expect(await offers()).toEqual(['1.26.2', '1.26.3']);
      const first = [...highest.values()].filter((version) => version === '1.26.3').length;

      await mustRun('release:rollout', 'halt', 'delve', '--reason', 'an alert');
      await offers();
      await mustRun('release:rollout', 'resume', 'delve', '--reason', 'a false alarm');
      await mustRun('release:rollout', 'advance', 'delve');

      expect(await offers()).toEqual(['1.26.2', '1.26.3']);
      const second = [...highest.values()].filter((version) => version === '1.26.3').length;
      expect(second).toBeGreaterThan(first);
    });

    it('roll back to the last good bytes under a higher number', async () => {
      await mustRun('release:rollout', 'rollback', 'delve', '--reason', 'it crashes');

      expect(await offers()).toEqual(['1.26.2', '1.26.3.1']);
    });

    it('complete a rollout, and the release can be made again from its source', async () => {
      await mustRun('release:beta', 'delve@1.26.4');
      await mustRun('release:rollout', 'start', 'delve', '--plan', 'plan.yaml');
      await offers();
      await mustRun('release:rollout', 'complete', 'delve');

      expect(await offers()).toEqual(['1.26.4']);
      await mustRun('release:verify', 'delve');
    });

    it('withdraw a version, and have one whole audit chain in the end', async () => {
      await mustRun('release:withdraw', 'delve@1.26.4', '--reason', 'it crashes too');

      const [version, ...others] = await offers();
      expect(others).toEqual([]);
      expect(version).toMatch(/^1\.26\.4\.\d+$/);
      const audit = await run(process.execPath, [mainJs, 'feed:audit', 'verify'], {
        cwd: productDir,
        env: cluster.settings,
      });
      expect([audit.code, audit.stdout]).toEqual([0, expect.stringContaining('The audit log is intact')]);
    });
  },
);
