import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planFixtures } from '../../conformance/fixtures.ts';
import { makePackage } from '../../conformance/nupkg.ts';
import { runSuite, type Settings } from '../../conformance/suite.ts';
import { makeKey, pushNupkg, startTestServer, type TestServer } from '../kit/test-server.ts';
import { type BreakingProxy, type Fault, startBreakingProxy } from './breaking-proxy.ts';
import { authMutants, pushMutants, readMutants } from './mutants.ts';

const fixtures = planFixtures('shared', true);
const many = Array.from({ length: 120 }, (_, n) => ({ id: 'shared.many', version: `1.0.${n}` }));
/** In the order in which the suite looks at them: the first six are read entry by entry. */
const packages = [
  'Main',
  'special',
  'dependent',
  'preview',
  'git',
  'gitversion',
  'digit',
  'leaning',
  'many',
].map((name) => `shared.${name}`);

describe('the suite, reading a feed with one fault', () => {
  let server: TestServer;
  let proxy: BreakingProxy;

  beforeAll(async () => {
    server = await startTestServer();
    for (const recipe of [...fixtures.recipes, ...many]) {
      await pushNupkg(server, makePackage(recipe), server.adminKey);
    }
    for (const { id, version } of fixtures.withdrawn) {
      await fetch(`${server.url}/nuget/${id}/${version}`, {
        method: 'DELETE',
        headers: { 'X-NuGet-ApiKey': server.adminKey },
      });
    }
    proxy = await startBreakingProxy(server.url, { isConstant: true });
  });
  afterAll(async () => {
    await proxy.stop();
    await server.stop();
  });

  it('reports nothing behind a proxy that breaks nothing', async () => {
    const { failed, passed } = await runBehind(proxy, {});

    expect(failed).toEqual([]);
    expect(passed.length).toBeGreaterThan(200);
  });

  it('takes older counts of downloads in one form of a document', async () => {
    const older: Fault = {
      after(answer, { headers }) {
        if (!('accept-encoding' in headers)) return;
        answer.headers['content-encoding'] = 'gzip';
        answer.bytes = gzipSync(answer.body.replace(/(DownloadCount[^>]*>)\d+/g, (_, start) => `${start}7`));
      },
    };

    const { failed, passed } = await runBehind(proxy, older, { only: ['robustness'] });

    expect(failed).toEqual([]);
    expect(passed).toContain('robustness/gzip');
  });

  it.each(readMutants)('reports: $name', async ({ fails, ...fault }) => {
    const { failed } = await runBehind(proxy, fault);

    expect(failed).toEqual([...fails].sort());
  });
});

describe('the suite, pushing to a feed with one fault', () => {
  let server: TestServer;
  let proxy: BreakingProxy;

  beforeAll(async () => {
    server = await startTestServer();
    proxy = await startBreakingProxy(server.url);
  });
  afterAll(async () => {
    await proxy.stop();
    await server.stop();
  });

  it.each(pushMutants)('reports: $name', async ({ fails, ...fault }) => {
    const { failed } = await runBehind(proxy, fault, { apiKey: server.adminKey, packages: [] });

    expect(failed).toEqual([...fails].sort());
  });

  it('removes what it pushed, even when it is interrupted', async () => {
    const own = await startTestServer();
    const interruption = new AbortController();
    const settings = { apiKey: own.adminKey, packages: [], signal: interruption.signal };
    const fault: Fault = {
      after(_, { target }) {
        if (target.includes('/Search()?')) interruption.abort();
      },
    };

    const before = await startBreakingProxy(own.url);
    await expect(runBehind(before, fault, settings)).rejects.toMatchObject({ exitCode: 130 });

    const left = await fetch(
      `${own.url}/nuget/Packages()/$count?$filter=Listed%20and%20startswith(Id,'conformance-')`,
    );
    expect(await left.text()).toBe('0');
    await before.stop();
    await own.stop();
  });
});

describe('the suite, reading a protected feed with one fault', () => {
  let server: TestServer;
  let proxy: BreakingProxy;
  let password: string;

  beforeAll(async () => {
    server = await startTestServer({ readAuth: 'feed' });
    password = await makeKey(server, ['read']);
    await pushNupkg(server, makePackage({ id: 'shared.git', version: '1.0.0' }), server.adminKey);
    proxy = await startBreakingProxy(server.url);
  });
  afterAll(async () => {
    await proxy.stop();
    await server.stop();
  });

  it('reports nothing when there is no fault', async () => {
    const { failed, passed } = await runBehind(
      proxy,
      {},
      { credentials: { user: 'x', password }, packages: [] },
    );

    expect(failed).toEqual([]);
    expect(passed).toContain('auth/everywhere');
  });

  it.each(authMutants)('reports: $name', async ({ fails, ...fault }) => {
    const credentials = { user: 'x', password };
    const { failed } = await runBehind(proxy, fault, { credentials, packages: [], only: ['auth'] });

    expect(failed).toEqual([...fails].sort());
  });

  it('says that it needs credentials', async () => {
    await expect(runBehind(proxy, {})).rejects.toMatchObject({ code: 'CREDENTIALS', exitCode: 2 });
  });

  it('says that its credentials are not accepted, or may not read', async () => {
    for (const wrong of ['nonsense', await makeKey(server, ['push'])]) {
      await expect(
        runBehind(proxy, {}, { credentials: { user: 'x', password: wrong } }),
      ).rejects.toMatchObject({ code: 'REFUSED', exitCode: 2 });
    }
  });
});

async function runBehind(
  proxy: BreakingProxy,
  fault: Fault,
  settings: Partial<Settings> = {},
): Promise<{ failed: string[]; passed: string[]; told: string[] }> {
  proxy.break(fault);
  const ids = { failed: [] as string[], passed: [] as string[], skipped: [] as string[] };
  const told: string[] = [];
  const suite = runSuite({
    url: `${proxy.url}/nuget`,
    isQuick: true,
    level: 'may',
    only: [],
    packages,
    timeoutMs: 60_000,
    signal: new AbortController().signal,
    progress: (line) => void told.push(line),
    ...settings,
  });
  for await (const { check, outcome } of suite) ids[outcome.verdict].push(check.id);
  return { failed: ids.failed.sort(), passed: ids.passed, told };
}
