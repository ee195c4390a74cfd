import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCache } from '../../manifest-gen/cache.ts';
import { loadTools } from '../../manifest-gen/tools.ts';
import { createGoModule } from '../../manifest-gen/upstream/go-module.ts';
import { type Generator, makeGenerator } from '../kit/generator.ts';
import { productDir, startHouse, type TestHouse } from '../kit/house.ts';
import { hasProgram } from '../kit/programs.ts';
import { testCacheDir } from '../kit/test-cache.ts';
import { makeUpstreamWorld } from '../kit/upstream-world.ts';

const hasGo = hasProgram('go') && reaches('go', ['list', '-m', 'honnef.co/go/tools@v0.4.6']);
const hasNpm = hasProgram('npm') && reaches('npm', ['view', 'lefthook-windows-x64@1.5.5', 'version']);

/** docs/tools as an organisation's TOOLS_DIR: real modules and packages, one YAML each. */
describe('tools of an organisation', () => {
  let house: TestHouse;
  let generator: Generator;

  beforeAll(async () => {
    house = await startHouse();
    const machine = hasProgram('go') ? goSettings() : {};
    generator = await makeGenerator({
      ...machine,
      FEED_URL: `${house.url}/nuget`,
      FEED_API_KEY: house.adminKey,
      TOOLS_DIR: join(productDir, 'docs', 'tools'),
      // builds are kept from run to run
      CACHE_DIR: testCacheDir,
    });
  });
  afterAll(async () => {
    await generator.stop();
    await house.stop();
  });

  it.skipIf(!hasGo)(
    'are built from Go modules, under a package id of their own: beta, promotion, status, manifest (needs go and its proxy)',
    { timeout: 280_000 },
    async () => {
      const beta = await generator.run('release:beta', ['staticcheck@0.4.6']);
      expect(beta.exitCode, beta.stderr).toBe(0);
      const stable = await generator.run('release:promote', ['staticcheck']);
      expect(stable.exitCode, stable.stderr).toBe(0);

      const listed = await text("/nuget/FindPackagesById()?id='bank-staticcheck'&semVerLevel=2.0.0");
      expect(listed).toContain('<d:Version>0.4.6</d:Version>');
      expect(listed).toContain('<d:Version>0.4.6-beta.1</d:Version>');
      expect(await text("/nuget/FindPackagesById()?id='staticcheck'&semVerLevel=2.0.0")).not.toContain(
        '<entry',
      );
      const manifest = JSON.parse(await text('/m/staticcheck.json')) as Record<string, unknown>;
      expect(manifest).toMatchObject({
        version: '0.4.6',
        bin: 'staticcheck.exe',
        notes: 'It calls go, which must be on the PATH.',
        checkver: { url: `${house.url}/m/staticcheck.json` },
      });
      const again = await generator.run('release:beta', ['staticcheck@0.4.6']);
      expect(again.stdout).toContain('nothing to do');
    },
  );

  it.skipIf(!hasNpm)(
    'come from npm, with the licence beside the YAML (needs npm and its registry)',
    { timeout: 120_000 },
    async () => {
      const { exitCode, stderr } = await generator.run('release:beta', ['lefthook@1.5.5']);
      expect(exitCode, stderr).toBe(0);

      const manifest = JSON.parse(await text('/m/beta/lefthook.json')) as Record<string, unknown>;
      expect(manifest).toMatchObject({ version: '1.5.5-beta.1', license: 'MIT', bin: 'lefthook.exe' });
    },
  );

  it.skipIf(!hasGo)(
    'are found in their modules with the sum that the checksum database has (needs go and its proxy)',
    { timeout: 120_000 },
    async () => {
      const world = await makeUpstreamWorld();
      const upstream = createGoModule({ ...world.settings, cache: createCache(testCacheDir) });
      const tools = await loadTools(join(productDir, 'docs', 'tools'));
      for (const name of ['gopls', 'govulncheck', 'golangci-lint']) {
        const tool = tools.find((one) => one.tool === name)!;

        const found = await upstream.find(tool, tool.first);

        expect(found).toMatchObject({ kind: 'go-module', architectures: ['amd64', 'arm64'] });
        expect(JSON.stringify('details' in found && found.details)).toMatch(
          /"sum":"h1:.*"isSumChecked":true/,
        );
      }
      await world.stop();
    },
  );

  async function text(path: string): Promise<string> {
    const response = await fetch(`${house.url}${path}`);
    expect(response.status, path).toBe(200);
    return response.text();
  }
});

function goSettings(): Record<string, string> {
  const names = ['GOPROXY', 'GOSUMDB', 'GONOSUMDB', 'GOPRIVATE'];
  return JSON.parse(execFileSync('go', ['env', '-json', ...names], { encoding: 'utf8' })) as Record<
    string,
    string
  >;
}

/** A machine without internet skips by name. */
function reaches(program: string, args: readonly string[]): boolean {
  try {
    const env = { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=mod' };
    execFileSync(program, args, { cwd: tmpdir(), env, timeout: 60_000, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
