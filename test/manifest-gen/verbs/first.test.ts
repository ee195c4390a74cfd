import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FirstOutcome, releaseFirst } from '../../../manifest-gen/verbs/first.ts';
import { createReport, createToolkit, loadToolsOf } from '../../../manifest-gen/verbs/run/toolkit.ts';
import { makeTinyExe } from '../../kit/exe.ts';
import { type NpmRegistry, startNpmRegistry } from '../../kit/npm-registry.ts';
import { type ReleaseFixture, startReleaseFixture } from '../../kit/release-fixture.ts';
import { productDir } from '../../kit/test-server.ts';

describe('the first releases', () => {
  let release: ReleaseFixture;
  let registry: NpmRegistry;

  beforeEach(async () => {
    const exe = makeTinyExe({ module: { path: 'github.com/bufbuild/buf', version: '(devel)' } });
    registry = await startNpmRegistry([
      { name: '@bufbuild/buf-win32-x64', version: '1.32.0', files: { 'bin/buf.exe': exe } },
    ]);
    const fault = { kind: 'status', status: 503 } as const;
    const asset = { name: 'buf-Windows-x86_64.exe', bytes: exe, fault };
    release = await startReleaseFixture({
      repositories: { 'bufbuild/buf': [{ tag: 'v1.32.0', assets: [asset] }] },
      settings: registry.env,
    });
  });
  afterEach(async () => {
    await release.stop();
    await registry.stop();
  });

  it('go on to the next source when one answers and its file cannot be had', async () => {
    const { server, generator } = release;
    const said: string[] = [];
    const terminal = { write: (text: string) => said.push(text) } as unknown as NodeJS.WritableStream;
    const { signal } = new AbortController();
    const invocation = {
      env: generator.env,
      stdout: terminal,
      stderr: terminal,
      productDir,
      cwd: generator.dir,
      signal,
    };
    const own = { ...invocation, version: '0.0.0-test' };
    const fixture = createToolkit(own, createReport(own, {}));
    const tools = (await loadToolsOf(fixture)).filter(({ tool }) => tool === 'buf');
    const ends: Omit<FirstOutcome, 'tool'>[] = [];

    await releaseFirst(fixture, tools, async ({ tool: _, ...end }) => void ends.push(end));

    expect(ends).toEqual([{ isInstallable: true, source: 'npm' }]);
    expect(said.join('')).toContain('buf  warning: buf 1.32.0: source github cannot be reached');
    expect(said.join('')).not.toContain('failed');
    expect((await fetch(`${server.url}/nuget/package/buf/1.32.0`)).status).toBe(200);
  });
});
