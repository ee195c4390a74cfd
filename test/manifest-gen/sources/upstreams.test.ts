import { describe } from 'vitest';
import { createUpstreams, type UpstreamSettings } from '../../../manifest-gen/sources/upstreams.ts';
import type { UpstreamKind } from '../../../manifest-gen/tool-file/sources.ts';
import { describeUpstream, type UpstreamFixture } from '../../contract/upstream.ts';
import { makeTinyExe } from '../../kit/exe.ts';
import { startForge } from '../../kit/forge.ts';
import { startGoProxy } from '../../kit/go-proxy.ts';
import { goHere } from '../../kit/hello-tool.ts';
import { startNpmRegistry } from '../../kit/npm-registry.ts';
import { hasProgram } from '../../kit/programs.ts';
import { makeAccess, makeTool, makeUpstreamFixture, nowhere } from '../../kit/upstream-fixture.ts';

const amd64 = makeTinyExe();
const arm64 = makeTinyExe({ architecture: 'arm64' });

describeUpstream('GitHub', async () => {
  const forge = await startForge();
  const both = (version: string) => [
    { name: `hello_${version}_amd64.exe`, bytes: amd64 },
    { name: `hello_${version}_arm64.exe`, bytes: Buffer.concat([arm64, Buffer.from(version)]) },
  ];
  forge.addRepository('acme/hello', [
    { tag: 'v2.0.0-rc1', assets: both('2.0.0-rc1') },
    { tag: 'v1.10.0', assets: both('1.10.0') },
    { tag: 'v1.9.0', assets: both('1.9.0').slice(0, 1) },
    { tag: 'v1.0.0', assets: both('1.0.0') },
  ]);
  const source = {
    kind: 'github',
    repository: 'acme/hello',
    assets: { amd64: 'hello_{version}_amd64.exe', arm64: 'hello_{version}_arm64.exe' },
  };
  return makeFixture('github', source, { apiUrl: forge.apiUrl }, { apiUrl: nowhere }, forge.stop);
});

describe.skipIf(!hasProgram('npm'))('with npm (needs npm)', () => {
  describeUpstream('npm', async () => {
    const one = (name: string, version: string, exe: Buffer) => ({
      name,
      version,
      files: { 'bin/hello.exe': Buffer.concat([exe, Buffer.from(version)]) },
    });
    const registry = await startNpmRegistry([
      ...['2.0.0-rc1', '1.10.0', '1.9.0', '1.0.0'].map((version) => one('@acme/hello-x64', version, amd64)),
      ...['1.10.0', '1.0.0'].map((version) => one('@acme/hello-arm64', version, arm64)),
    ]);
    const source = {
      kind: 'npm',
      packages: { amd64: '@acme/hello-x64', arm64: '@acme/hello-arm64' },
      member: 'package/bin/hello.exe',
    };
    // npm itself would try again after one second, and after five
    const retryPolicy = { ...makeAccess().retryPolicy, attempts: 1 };
    const elsewhere = { env: { ...registry.env, npm_config_registry: nowhere }, retryPolicy };
    return makeFixture('npm', source, { env: registry.env }, elsewhere, registry.stop);
  });
});

describe.skipIf(!hasProgram('go'))('with go (needs go)', () => {
  describeUpstream('the Go module proxy', async () => {
    const proxy = await startGoProxy(
      ['v2.0.0-rc1', 'v1.10.0', 'v1.9.0', 'v1.0.0'].map((version) => ({
        path: 'example.test/hello',
        version,
        files: {
          'go.mod': 'module example.test/hello\n\ngo 1.21\n',
          'main.go': `package main\n\nfunc main() { println("${version}") }\n`,
        },
      })),
    );
    const source = {
      kind: 'go-module',
      modules: [{ module: 'example.test/hello', main: 'example.test/hello' }],
      // the one that is here needs no download
      toolchains: [{ versions: '*', go: await goHere() }],
    };
    const elsewhere = { env: { ...proxy.env, GOPROXY: nowhere } };
    return makeFixture('go-module', source, { env: proxy.env }, elsewhere, proxy.stop);
  });
});

async function makeFixture(
  kind: UpstreamKind,
  source: Record<string, unknown>,
  here: Partial<UpstreamSettings> & { readonly env?: Readonly<Record<string, string>> },
  elsewhere: Partial<UpstreamSettings> & { readonly env?: Readonly<Record<string, string>> },
  stop: () => Promise<void>,
): Promise<UpstreamFixture> {
  const fixture = await makeUpstreamFixture(here);
  const far = await makeUpstreamFixture(elsewhere);
  const over = await makeUpstreamFixture(here);
  over.controller.abort();
  return {
    upstream: createUpstreams(fixture.settings)[kind],
    tool: makeTool({ sources: [source] }),
    report: fixture.report,
    unreachable: createUpstreams(far.settings)[kind],
    interrupted: createUpstreams(over.settings)[kind],
    stop: async () => {
      await stop();
      for (const one of [fixture, far, over]) await one.stop();
    },
  };
}
