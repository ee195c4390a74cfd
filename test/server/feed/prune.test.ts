import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operator } from '../../../server/audit/audit.ts';
import { createCommand as createPrune } from '../../../server/verbs/prune.ts';
import { createGitClient } from '../../kit/git.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { runVerb, type Said } from '../../kit/operator-fixture.ts';
import { openBucketWork } from '../../kit/stocked-feed.ts';
import {
  adminKey,
  makeKey,
  makeTempDir,
  pushNupkg,
  startTestServer,
  type TestServer,
} from '../../kit/test-server.ts';
import { heldUploads } from '../api/held-uploads.ts';

const plan = { steps: [{ percent: 100, hold: '1h', needs: 0 }] };
let root: string;
let time = new Date('2026-01-01T00:00:00Z');
let server: TestServer;
let uploads: ReturnType<typeof heldUploads>;

/**
 * buf: four betas, the third of which branch beta offers, and its stable version. delve: two betas of a version that is held for a
 * rollout. foreign: prereleases that are none of ours.
 */
beforeAll(async () => {
  root = await makeTempDir();
  server = await startTestServer({ dataDir: `${root}/data`, server: { now: () => time } });
  const bucket = await openBucketWork(server, root, 'work');
  const key = await makeKey(server, ['push', 'rollout'], [], 'ann');
  uploads = heldUploads(server, key);
  const push = async (id: string, ...versions: string[]) => {
    for (const version of versions)
      expect((await pushNupkg(server, makeNupkg({ id, version }), key)).status).toBe(201);
  };
  await push('buf', '1.0.0-beta.1', '1.0.0-beta.2', '1.0.0-beta.3', '1.0.0');
  for (const number of [1, 2]) await bucket.beta('buf', `1.0.0-beta.${number}`);
  await bucket.release('buf', '1.0.0');
  await bucket.beta('buf', '1.1.0-beta.1');
  await push('buf', '1.1.0-beta.1');
  await push('foreign', '1.0.0-rc.1', '1.0.0-rc.2', '1.0.0-beta.1', '2.0.0-beta.1');
  await push('delve', '1.21.0', '1.22.0-beta.1', '1.22.0-beta.2', '1.23.0-beta.1');
  for (const version of ['1.22.0', '1.22.0.1']) await uploads.whole(version);
  time = new Date('2026-06-01T00:00:00Z');
  await push('buf', '1.2.0-beta.1', '1.3.0-beta.1');
});
afterAll(async () => {
  await server.stop();
  await rm(root, { recursive: true, force: true, maxRetries: 5 });
});

const prune = (...args: string[]): Promise<Said> =>
  runVerb(createPrune, server.dataDir, '--betas', '1', '--older-than', '90d', ...args);
const get = (path: string): Promise<Response> => fetch(`${server.url}${path}`);
const statusOf = async (path: string): Promise<number> => (await get(path)).status;
const exe = (version: string) => `/dl/buf/${version}/buf-windows-amd64.exe`;

describe('POST /api/v1/prunes', () => {
  it.each([
    [{ betas: 0, olderThan: '90d' }, 'betas'],
    [{ betas: 1, olderThan: '90' }, 'expected a time such as 90d'],
    [{ betas: 1, olderThan: '90d', ids: ['a b'] }, 'expected ids'],
    [{ betas: 1, olderThan: '90d', yes: true }, 'yes'],
  ])('refuses %o', async (body, problem) => {
    expect(await uploads.call('POST', '/prunes', adminKey, body)).toMatchObject([
      400,
      { title: expect.stringContaining(problem) as string },
    ]);
  });

  it('needs the scope admin', async () => {
    expect((await uploads.call('POST', '/prunes', undefined, { betas: 1, olderThan: '90d' }))[0]).toBe(403);
  });
});

describe('feed:prune', () => {
  it('shows what would go, and why the rest stays', async () => {
    const said = await prune();

    expect(said.error).toBeUndefined();
    await expect(said.stdout).toMatchFileSnapshot('../../golden/admin/prune-plan.txt');
    expect(await statusOf('/nuget/package/buf/1.0.0-beta.1')).toBe(200);
  });

  it('is left out where an open rollout names it, however late that began', async () => {
    let pruning: Promise<{ readonly count: number }> | undefined;
    const order = { betas: 1, olderThan: 90 * 24 * 3_600_000, ids: ['delve'], reason: 'old' };
    expect(await server.services.pruning.plan(order)).toMatchObject({ count: 2 });

    await server.services.bucket.between(async () => {
      pruning = server.services.pruning.prune(order, operator);
      void uploads.call('POST', '/rollouts', undefined, { tool: 'delve', version: '1.22.0', plan });
      await expect.poll(async () => (await server.services.rollouts.list()).length).toBe(1);
    });

    expect(await pruning).toMatchObject({ count: 0, kept: { rollout: 2, newest: 1 } });
    expect(await statusOf('/nuget/package/delve/1.22.0-beta.1')).toBe(200);
  });

  it('deletes the rest for good, through the running server', async () => {
    const said = await prune('--yes', '--reason', 'the disk is small');

    expect(said.error).toBeUndefined();
    await expect(said.stdout).toMatchFileSnapshot('../../golden/admin/prune.txt');
    for (const version of ['1.0.0-beta.1', '1.0.0-beta.2']) {
      for (const path of [
        `/nuget/package/buf/${version}`,
        `/v3/flat/buf/${version}/buf.${version}.nupkg`,
        exe(version),
        `${exe(version)}.sha256`,
        `/m/buf/${version}/buf.json`,
      ])
        expect([path, await statusOf(path)]).toEqual([path, 410]);
      expect((await pushNupkg(server, makeNupkg({ id: 'buf', version }), adminKey)).status).toBe(410);
    }
    // The stable version has the same exe.
    expect(await statusOf(exe('1.0.0'))).toBe(200);
    expect(await (await get('/dl/buf/1.0.0/buf-windows-amd64.exe')).text()).toBe('buf 1.0.0 as an exe');
    for (const path of [
      '/nuget/package/buf/1.0.0',
      '/nuget/package/buf/1.1.0-beta.1',
      '/nuget/package/buf/1.2.0-beta.1',
      '/nuget/package/foreign/1.0.0-rc.1',
      '/nuget/package/delve/1.22.0-beta.1',
      '/nuget/c/pc-1/package/delve/1.22.0',
      exe('1.1.0-beta.1'),
      '/m/beta/buf.json',
      '/m/buf.json',
    ])
      expect([path, await statusOf(path)]).toEqual([path, 200]);
  });

  it('leaves one audit entry for each package and payload, with the rule and the reason', async () => {
    const entries = await server.services.audit.list({ limit: 1000 });

    const purged = entries.filter(({ change }) => change.kind.endsWith('purged'));
    expect(purged.map(({ change: { kind, subject, version } }) => `${kind} ${subject} ${version}`)).toEqual([
      'package purged buf 1.0.0-beta.3',
      'package purged buf 1.0.0-beta.2',
      'payload purged buf 1.0.0-beta.2',
      'package purged buf 1.0.0-beta.1',
      'payload purged buf 1.0.0-beta.1',
      'package purged foreign 1.0.0-beta.1',
    ]);
    expect(new Set(purged.map(({ change }) => change.detail))).toEqual(
      new Set(['older than 90d, and not one of the newest 1 betas: the disk is small']),
    );
  });

  it('leaves lists and a clone that managers can use', async () => {
    for (const path of [
      "/nuget/FindPackagesById()?id='buf'&semVerLevel=2.0.0",
      "/nuget/Search()?$filter=IsAbsoluteLatestVersion&searchTerm='buf'&targetFramework=''&includePrerelease=true&semVerLevel=2.0.0",
      '/v3/reg/buf/index.json',
      '/packages/buf',
    ]) {
      const text = await (await get(path)).text();
      expect(text, path).toContain('1.3.0-beta.1');
      expect(text, path).not.toContain('1.0.0-beta');
    }
    const git = await createGitClient(root);
    const clone = await git.clone(`${server.url}/git/beta/go-win-tools.git`, 'user');
    expect(await git.run(clone, 'show', 'HEAD:bucket/buf.json')).toContain('"1.1.0-beta.1"');
  });

  it('has nothing more to do, and takes the betas of a rollout once that has ended, without a server', async () => {
    const again = JSON.parse((await prune('--yes', '--json')).stdout) as unknown;
    expect(again).toMatchObject({
      count: 0,
      isDone: true,
      kept: { branch: 1, rollout: 2, newest: 3, young: 1 },
    });
    const [status] = await uploads.call('POST', '/rollouts/1/complete');
    expect(status).toBe(200);
    await server.stop();

    const alone = await prune('--yes', '--json', '--id', 'd*');

    expect(alone.error).toBeUndefined();
    expect(JSON.parse(alone.stdout)).toMatchObject({
      versions: [{ version: '1.22.0-beta.2' }, { version: '1.22.0-beta.1' }],
      count: 2,
      isWaiting: false,
    });
    server = await startTestServer({ dataDir: server.dataDir, server: { now: () => time } });
    expect(await statusOf('/nuget/package/delve/1.22.0-beta.1')).toBe(410);
    expect(await statusOf('/nuget/package/delve/1.22.0')).toBe(200);
  });
});
