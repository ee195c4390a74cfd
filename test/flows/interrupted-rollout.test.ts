import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CuttingProxy, startCuttingProxy } from '../kit/cutting-proxy.ts';
import { delveRelease } from '../kit/generator.ts';
import { type ReleaseFixture, startReleaseFixture } from '../kit/release-fixture.ts';
import { startTestServer, type TestServer } from '../kit/test-server.ts';

const names = ['1.26.3', '1.26.3.1-beta.1', '1.26.3.1'];
/** The version, then its correction, whose beta comes first; of each two exes, their list, package and manifest. */
const uploads = names.flatMap((version) => [
  `PUT /dl/delve/${version}/dlv-windows-amd64.exe`,
  `PUT /dl/delve/${version}/dlv-windows-arm64.exe`,
  `PUT /dl/delve/${version}/delve.cdx.json`,
  'PUT /nuget/',
  `PUT /api/v1/held/delve/${version}`,
]);

describe('release:rollout start', () => {
  let server: TestServer;
  let proxy: CuttingProxy;
  let fixture: ReleaseFixture;
  beforeAll(async () => {
    server = await startTestServer();
    proxy = await startCuttingProxy(server.url);
    const releases = ['1.26.3', '1.26.2', '1.26.1'].map((version) => delveRelease(version));
    const repositories = { 'go-delve/delve': releases };
    fixture = await startReleaseFixture({
      server,
      repositories,
      settings: { FEED_URL: `${proxy.url}/nuget` },
    });
    await writeFile(join(fixture.generator.dir, 'plan.yaml'), 'steps: [{ percent: 100, hold: 1h }]\n');
    await mustRun('release:beta', 'delve@1.26.2');
    await mustRun('release:promote', 'delve');
    await mustRun('release:beta', 'delve@1.26.3');
  });
  afterAll(async () => {
    for (const one of [fixture, proxy, server]) await one.stop();
  });

  async function mustRun(verb: string, ...args: string[]): Promise<void> {
    const { exitCode, stderr } = await fixture.generator.run(verb, args);
    expect(exitCode, stderr).toBe(0);
  }

  const start = (signal?: AbortSignal, ...more: string[]) =>
    fixture.generator.run('release:rollout', ['start', 'delve', '--plan', 'plan.yaml', ...more], {
      ...(signal && { signal }),
    });

  async function cutAfter(beginning: string, nth?: number): Promise<void> {
    const interruption = new AbortController();
    proxy.trap(beginning, 'after', () => interruption.abort(), nth);
    const { exitCode, stderr } = await start(interruption.signal);
    expect(exitCode, stderr).toBe(130);
    expect(stderr).toContain('Not finished: delve 1.26.3');
  }

  async function ask<T>(path: string): Promise<T> {
    const headers = { Authorization: `Bearer ${server.adminKey}` };
    return (await (await fetch(`${server.url}/api/v1/${path}`, { headers })).json()) as T;
  }

  async function offered(branch: '' | 'beta/') {
    const answer = await fetch(`${server.url}/m/${branch}delve.json`);
    const { version, architecture } = (await answer.json()) as {
      version: string;
      architecture: { '64bit': { hash: string } };
    };
    return { version, hash: architecture['64bit'].hash };
  }

  it('goes on after an interruption at every request', { timeout: 600_000 }, async () => {
    expect(await start(undefined, '--dry-run', '--out', 'made')).toMatchObject({ exitCode: 0 });
    for (const upload of uploads) {
      await cutAfter(upload);
      expect(await ask('rollouts')).toEqual([]);
    }
    const sent = proxy.requests.length;
    // the first one asks what is in the way, before anything is uploaded
    await cutAfter('POST /api/v1/rollouts', 2);

    const again = await start();

    expect(again, again.stderr).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('nothing to do, the rollout of 1.26.3 is rolling'),
    });
    // the server had all that it answered for
    expect(proxy.requests.slice(sent).filter((line) => line.startsWith('PUT /dl/'))).toEqual([]);
    expect(proxy.requests.slice(sent).filter((line) => line.startsWith('PUT /nuget'))).toEqual([]);
    expect(await ask('rollouts')).toMatchObject([
      { version: '1.26.3', correction: '1.26.3.1', state: 'rolling' },
    ]);
    const held = await ask<{ version: string; sha256: string }[]>('held/delve');
    const made = names.map(async (version) => ({
      version,
      sha256: sha256(await readFile(join(fixture.generator.dir, 'made', `delve.${version}.nupkg`))),
    }));
    expect(held.map(({ version, sha256 }) => ({ version, sha256 })).toSorted(byVersion)).toEqual(
      (await Promise.all(made)).toSorted(byVersion),
    );
  });

  it('never takes back to bytes that were withdrawn, wherever the withdrawal was cut', {
    timeout: 300_000,
  }, async () => {
    const args = ['delve@1.26.2', '--to', '1.26.1', '--reason', 'malicious'];
    const interruption = new AbortController();
    // main has the good bytes, and the correction of the rollout not yet
    proxy.trap('POST /git/beta/go-win-tools.git/git-receive-pack', 'after', () => interruption.abort());
    const cut = await fixture.generator.run('release:withdraw', args, { signal: interruption.signal });
    expect(cut.exitCode, cut.stderr).toBe(130);
    expect(await offered('')).toMatchObject({ version: '1.26.2.1' });
    expect(await ask('rollouts')).toMatchObject([{ correction: '1.26.3.1' }]);

    const again = await fixture.generator.run('release:withdraw', args);
    expect(again.exitCode, again.stderr).toBe(0);
    await mustRun('release:rollout', 'rollback', 'delve', '--reason', 'crashes');

    expect(await offered('beta/')).toEqual({
      version: '1.26.3.2-beta.1',
      hash: (await offered('')).hash,
    });
  });
});

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function byVersion(a: { version: string }, b: { version: string }): number {
  return a.version < b.version ? -1 : 1;
}
