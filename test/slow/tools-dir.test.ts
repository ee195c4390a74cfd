import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import AdmZip from 'adm-zip';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestBytes } from '../../formats/digest.ts';
import { type Generator, makeGenerator } from '../kit/generator.ts';
import { startGoProxy } from '../kit/go-proxy.ts';
import { hasProgram } from '../kit/programs.ts';
import { testCacheDir } from '../kit/test-cache.ts';
import { productDir, startTestServer, type TestServer } from '../kit/test-server.ts';
import { useDisk } from '../kit/use-disk.ts';

useDisk();

const hasGo = hasProgram('go') && reaches('go', ['list', '-m', 'honnef.co/go/tools@v0.4.6']);
const hasNpm = hasProgram('npm') && reaches('npm', ['view', 'lefthook-windows-x64@1.5.5', 'version']);

/** docs/tools as an organisation's TOOLS_DIR: real modules and packages, one YAML each. */
describe('tools of an organisation', () => {
  let server: TestServer;
  let generator: Generator;

  beforeAll(async () => {
    server = await startTestServer();
    const machine = hasProgram('go') ? goSettings() : {};
    generator = await makeGenerator({
      ...machine,
      FEED_URL: `${server.url}/nuget`,
      FEED_API_KEY: server.adminKey,
      TOOLS_DIR: join(productDir, 'docs', 'tools'),
      // builds are kept from run to run
      CACHE_DIR: testCacheDir,
    });
  });
  afterAll(async () => {
    await generator.stop();
    await server.stop();
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
        checkver: { url: `${server.url}/m/staticcheck.json` },
      });
      const sbom = await text('/dl/staticcheck/0.4.6/staticcheck.cdx.json');
      expect(sbom).toBe(await text('/dl/staticcheck/0.4.6-beta.1/staticcheck.cdx.json'));
      expect(licensesIn(sbom)['github.com/BurntSushi/toml']).toEqual([{ license: { id: 'MIT' } }]);
      const again = await generator.run('release:beta', ['staticcheck@0.4.6']);
      expect(again.stdout).toContain('nothing to do');

      const verified = await generator.run('release:verify', ['staticcheck']);
      expect(verified.exitCode, verified.stdout).toBe(0);
      expect(verified.stdout).toMatch(/passed +sbom +staticcheck\.cdx\.json/);
    },
  );

  it.skipIf(!hasNpm)(
    'come from npm, with the licence beside the YAML (needs npm and its registry)',
    async () => {
      const { exitCode, stderr } = await generator.run('release:beta', ['lefthook@1.5.5']);
      expect(exitCode, stderr).toBe(0);

      const manifest = JSON.parse(await text('/m/beta/lefthook.json')) as Record<string, unknown>;
      expect(manifest).toMatchObject({ version: '1.5.5-beta.1', license: 'MIT', bin: 'lefthook.exe' });
    },
  );

  // minutes of a processor each, the first time: programs and Go's own packages are kept in the test's cache
  it.skipIf(!hasGo).each([
    ['gopls', '0.14.2', 'BSD-3-Clause'],
    ['govulncheck', '1.0.1', 'BSD-3-Clause'],
    ['golangci-lint', '1.55.2', 'GPL-3.0-only'],
  ])(
    'are built for each architecture, vouched for by the checksum database: %s %s (needs go and its proxy)',
    { timeout: 1_800_000 },
    async (tool, version, license) => {
      const beta = await generator.run('release:beta', [`${tool}@${version}`, '--source', 'go-module']);
      expect(beta.exitCode, beta.stderr).toBe(0);

      const manifest = JSON.parse(await text(`/m/beta/${tool}.json`)) as Manifest;
      expect(manifest).toMatchObject({ version: `${version}-beta.1`, license, bin: `${tool}.exe` });
      const machines = [];
      for (const [name, { url, hash }] of Object.entries(manifest.architecture)) {
        const exe = Buffer.from(await (await fetch(url)).arrayBuffer());
        expect(digestBytes(exe).sha256).toBe(hash);
        machines.push([name, exe.readUInt16LE(exe.readUInt32LE(0x3c) + 4).toString(16)]);
      }
      expect(machines).toEqual([
        ['64bit', '8664'],
        ['arm64', 'aa64'],
      ]);

      const answer = await fetch(`${server.url}/nuget/package/${tool}/${version}-beta.1`);
      const nupkg = new AdmZip(Buffer.from(await answer.arrayBuffer()));
      expect(nupkg.readAsText(`${tool}.nuspec`)).toContain(`<version>${version}-beta.1</version>`);
      expect(nupkg.readAsText('tools/LICENSE.txt').length).toBeGreaterThan(500);
      const record = JSON.parse(nupkg.readAsText('tools/release.json')) as {
        evidence: { kind: string; verdict: string }[];
      };
      expect(record.evidence).toContainEqual(expect.objectContaining({ kind: 'sumdb', verdict: 'passed' }));

      const licenses = licensesIn(await text(`/dl/${tool}/${version}-beta.1/${tool}.cdx.json`));
      const modules = Object.entries(licenses).filter(([name]) => !name.endsWith('.exe'));
      const licensed = modules.filter(([, known]) => known !== undefined);
      expect(licensed.length / modules.length).toBeGreaterThan(0.9);
    },
  );

  it.skipIf(!hasProgram('go'))(
    'for an unavailable Go are reported, with the version that needs it (needs go)',
    async () => {
      const files = { 'go.mod': 'module honnef.co/go/tools\n\ngo 1.99\n' };
      const proxy = await startGoProxy([{ path: 'honnef.co/go/tools', version: 'v0.9.9', files }]);
      const env = { ...proxy.env, CACHE_DIR: join(generator.dir, 'cache') };

      const { stdout, exitCode } = await generator.run('release:status', ['staticcheck', '--json'], { env });
      await proxy.stop();

      expect(exitCode).toBe(0);
      const row = stdout.split('\n').find((line) => line.includes('"status"')) ?? '';
      expect(JSON.parse(row)).toMatchObject({
        upstream: '0.9.9',
        next:
          'fail: staticcheck 0.9.9: the Go toolchain go1.99 cannot be downloaded: the module proxy lists no release of it. Check GOPROXY and GOSUMDB, ' +
          'name another Go version in `toolchains:` of the tool file, name an older version (staticcheck@VERSION), or use another source.',
      });
    },
  );

  async function text(path: string): Promise<string> {
    const response = await fetch(`${server.url}${path}`);
    expect(response.status, path).toBe(200);
    return response.text();
  }
});

function licensesIn(sbom: string): Readonly<Record<string, unknown>> {
  const { components } = JSON.parse(sbom) as { components: { name: string; licenses?: unknown }[] };
  return Object.fromEntries(components.map(({ name, licenses }) => [name, licenses]));
}

type Manifest = {
  readonly architecture: Readonly<Record<string, { readonly url: string; readonly hash: string }>>;
};

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
