import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Alerting, hasAlerting, startAlerting } from '../kit/alerting.ts';
import { delveRelease } from '../kit/generator.ts';
import { createGitClient, type GitClient } from '../kit/git.ts';
import { type Listening, listen } from '../kit/listen.ts';
import { hasNuget, makeNuget, type Nuget } from '../kit/nuget.ts';
import { type ReleaseFixture, startReleaseFixture } from '../kit/release-fixture.ts';
import { makeKey, makeTempDir, startTestServer } from '../kit/test-server.ts';

/** A service that counts its requests; from `break` on, every tenth of them fails. */
async function startService(): Promise<Listening & { break(): void }> {
  let isBroken = false;
  const counts = { 200: 0, 500: 0 };
  const work = setInterval(() => {
    counts[200] += isBroken ? 9 : 10;
    counts[500] += isBroken ? 1 : 0;
  }, 100);
  const server = await listen((_, response) =>
    response.end(
      Object.entries(counts)
        .map(([code, count]) => `http_requests_total{code="${code}"} ${count}\n`)
        .join(''),
    ),
  );
  return {
    ...server,
    break() {
      isBroken = true;
    },
    async stop() {
      clearInterval(work);
      await server.stop();
    },
  };
}

const plan = `
steps:
  - { ring: canary, hold: 1d }
  - { percent: 100, hold: 1d }
match: { service: checkout }
heartbeat: 15m
onAlert: rollback
`;

describe.skipIf(!hasAlerting || !hasNuget)(
  'a rollout whose service answers with errors (needs prometheus and alertmanager and mono)',
  () => {
    let dir: string;
    let fixture: ReleaseFixture;
    let service: Awaited<ReturnType<typeof startService>>;
    let alerting: Alerting | undefined;
    const clients = new Map<
      string,
      { readonly nuget: Nuget; readonly git: GitClient; readonly clone: string }
    >();

    beforeAll(async () => {
      dir = await makeTempDir();
      service = await startService();
      fixture = await startReleaseFixture({
        // Ten seconds in ordinary servers, which the test would wait for.
        server: await startTestServer({ server: { rolloutTickMs: 200 } }),
        repositories: { 'go-delve/delve': ['1.26.3', '1.26.2'].map((version) => delveRelease(version)) },
      });
      await generate('release:beta', 'delve@1.26.2');
      await generate('release:promote', 'delve@1.26.2');
      await generate('release:beta', 'delve@1.26.3');
    });
    afterAll(async () => {
      await alerting?.stop();
      await fixture.stop();
      await fixture.server.stop();
      await service.stop();
      await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    });

    async function generate(verb: string, ...args: readonly string[]): Promise<void> {
      const { exitCode, stdout, stderr } = await fixture.generator.run(verb, args);
      expect(exitCode, stdout + stderr).toBe(0);
    }

    /** What a machine gets from both managers' addresses; they must agree. */
    async function versionFor(id: string): Promise<string> {
      const { nuget, git, clone } = clients.get(id) ?? (await newClient(id));
      await git.run(clone, 'pull', '--quiet', '--ff-only');
      const manifest = JSON.parse(await readFile(join(clone, 'bucket', 'delve.json'), 'utf8'));
      const listed = await nuget('list', 'delve', '-Source', `${fixture.server.url}/nuget/c/${id}`);
      expect(listed.stdout).toContain(`delve ${manifest.version}\n`);
      return manifest.version;
    }

    async function newClient(id: string) {
      const home = join(dir, id);
      await mkdir(home);
      const git = await createGitClient(home);
      const clone = await git.clone(`${fixture.server.url}/git/c/${id}/go-win-tools.git`, 'bucket');
      const client = { nuget: await makeNuget(home), git, clone };
      clients.set(id, client);
      return client;
    }

    async function stateNow(): Promise<string> {
      const answer = await fetch(`${fixture.server.url}/api/v1/rollouts?tool=delve`, {
        headers: { 'X-NuGet-ApiKey': fixture.server.adminKey },
      });
      const [rollout] = (await answer.json()) as [{ state: string; step: number }];
      return `${rollout.state} ${rollout.step}`;
    }

    async function untilState(state: string): Promise<void> {
      while ((await stateNow()) !== state) await sleep(200);
    }

    it('begins with the first heartbeat, and is rolled back by the rule that ships', async () => {
      expect(await versionFor('pc-1')).toBe('1.26.2');
      await setRing('canary', 'pc-1');
      await writeFile(join(dir, 'plan.yaml'), plan);
      await generate('release:rollout', 'start', 'delve@1.26.3', '--plan', join(dir, 'plan.yaml'));
      expect(await versionFor('pc-1')).toBe('1.26.2');

      alerting = await startAlerting({
        dir: join(dir, 'alerting'),
        service: new URL(service.url).host,
        serviceName: 'checkout',
        feedUrl: fixture.server.url,
        key: await makeKey(fixture.server, ['alert']),
      });
      await untilState('rolling 1');
      expect(await versionFor('pc-1')).toBe('1.26.3');
      expect(await versionFor('pc-2')).toBe('1.26.2');
      expect(await stateNow()).toBe('rolling 1');

      service.break();
      await untilState('rolled-back 1');

      expect(await versionFor('pc-1')).toBe('1.26.3.1');
      expect(await versionFor('pc-2')).toBe('1.26.2');
      const got = await clients
        .get('pc-1')
        ?.nuget(
          ...['install', 'delve', '-Source', `${fixture.server.url}/nuget/c/pc-1`, '-OutputDirectory', dir],
        );
      expect(got?.stdout).toContain("Successfully installed 'delve 1.26.3.1'");
      const advice = await fixture.generator.run('release:check', ['delve']);
      expect(advice.stdout).toContain('1.26.3 was taken back');
      expect(advice.stdout).not.toContain('release:promote');
    });

    async function setRing(name: string, ...clientIds: readonly string[]): Promise<void> {
      const answer = await fetch(`${fixture.server.url}/api/v1/rings`, {
        method: 'POST',
        headers: { 'X-NuGet-ApiKey': fixture.server.adminKey, 'Content-Type': 'application/json' },
        body: JSON.stringify({ name, globs: clientIds }),
      });
      expect(answer.ok, await answer.text()).toBe(true);
    }
  },
);
