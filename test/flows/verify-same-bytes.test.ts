import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import AdmZip from 'adm-zip';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestBytes } from '../../formats/digest.ts';
import { writeZip } from '../../formats/zip-writer.ts';
import { type Forge, type ForgeRelease, startForge } from '../kit/forge.ts';
import { delveRelease, type Generator, makeGenerator } from '../kit/generator.ts';
import { type GoModuleFiles, type GoProxy, startGoProxy } from '../kit/go-proxy.ts';
import { goHere } from '../kit/hello-tool.ts';
import { hasProgram } from '../kit/programs.ts';
import { type ReleaseFixture, startReleaseFixture } from '../kit/release-fixture.ts';
import { makeSumDatabase } from '../kit/sumdb.ts';
import { startTamperingProxy, type TamperingProxy } from '../kit/tampering-proxy.ts';
import { makeKey, makeTempDir, startTestServer, type TestServer } from '../kit/test-server.ts';

/** Every byte is as it was released, and something around it is not: nobody must be told not to install it. */

describe('release:verify beside a mirror', () => {
  let fixture: ReleaseFixture;
  let generator: Generator;
  let mirror: Forge;
  let trustFile: string;
  // once: a zip has the time at which it was made
  const release = delveRelease('1.26.2');

  beforeAll(async () => {
    fixture = await startReleaseFixture({
      repositories: { 'go-delve/delve': [{ ...release, isImmutable: true }] },
      scopes: ['push'],
    });
    ({ generator } = fixture);
    mirror = await startForge();
    mirror.addRepository('go-delve/delve', [withoutDigests(release)]);
    trustFile = join(await makeTempDir(), 'trust.yaml');
    await writeFile(trustFile, 'delve: {require: [digest, checksum, pe]}\n');
    await generator.run('release:beta', ['delve']);
    await generator.run('release:promote', ['delve']);
  });
  afterAll(async () => {
    await fixture.stop();
    await mirror.stop();
  });

  it("finds no fault where the forge's digest is unavailable", async () => {
    const env = { GITHUB_API_URL: mirror.apiUrl };

    const verified = await generator.run('release:verify', ['delve'], { env });
    const status = await generator.run('release:status', ['delve'], { env });
    const released = await generator.run('release:beta', ['delve'], { env });

    expect(verified.stdout).toMatch(
      /skipped +digest +dlv_1\.26\.2_windows_amd64\.zip +It passed at the release; the file itself is compared/,
    );
    expect(verified.stdout).toMatch(/passed +upstream +dlv_1\.26\.2_windows_amd64\.zip +Downloaded again/);
    expect(verified.stdout).toMatch(/passed +package +tools\/release\.json +Rendered again/);
    expect(verified.exitCode, verified.stdout).toBe(0);
    expect(status.stdout).toContain('do nothing');
    expect(released.stdout).toContain('nothing');
  });

  it('does not accept a mirror as the evidence that the tool requires, whatever the record says', async () => {
    const env = { GITHUB_API_URL: mirror.apiUrl, TRUST_FILE: trustFile };

    const verified = await generator.run('release:verify', ['delve'], { env });
    const whole = await generator.run('release:verify', ['delve'], { env: { TRUST_FILE: trustFile } });

    expect(verified.stdout).toMatch(/not repeated +digest .*The tool's file requires it/);
    expect(verified.exitCode, verified.stdout).toBe(4);
    expect(whole.exitCode, whole.stdout).toBe(0);
  });

  it('finds different bytes at a mirror that has no digest', async () => {
    const bent = await startForge();
    bent.addRepository('go-delve/delve', [withoutDigests(delveRelease('1.26.2', { filler: 'x' }))]);

    const verified = await generator.run('release:verify', ['delve'], {
      env: { GITHUB_API_URL: bent.apiUrl },
    });
    await bent.stop();

    expect(verified.exitCode).toBe(3);
    expect(verified.stdout).toMatch(/FAILED +upstream +dlv_1\.26\.2_windows_amd64\.zip/);
  });

  it('accepts files that came from the mirror when the forge has more evidence for them', async () => {
    const server = await startTestServer();
    const env = { FEED_URL: `${server.url}/nuget`, FEED_API_KEY: await makeKey(server, ['push']) };
    await generator.run('release:beta', ['delve'], { env: { ...env, GITHUB_API_URL: mirror.apiUrl } });

    const verified = await generator.run('release:verify', ['delve', '--channel', 'beta'], { env });
    const status = await generator.run('release:status', ['delve'], { env });
    const demanding = await generator.run('release:verify', ['delve', '--channel', 'beta'], {
      env: { ...env, GITHUB_API_URL: mirror.apiUrl, TRUST_FILE: trustFile },
    });
    await server.stop();

    expect(verified.exitCode, verified.stdout).toBe(0);
    expect(status.stdout).toContain('do nothing');
    // the record says `absent`, which is not for the record to decide
    expect(demanding.exitCode).toBe(4);
  });
});

function withoutDigests(release: ForgeRelease): ForgeRelease {
  return { ...release, assets: (release.assets ?? []).map((asset) => ({ ...asset, digest: false })) };
}

describe('release:verify after a line was added to the tool file', () => {
  it('reads the checksum file that it names, and finds no fault', async () => {
    const toolsDir = await makeTempDir();
    const write = (line: string): Promise<void> => writeFile(join(toolsDir, 'gizmo.yaml'), gizmo(line));
    await write('');
    const fixture = await startReleaseFixture({
      repositories: { 'example/gizmo': [delveRelease('1.26.2')] },
      scopes: ['push'],
      settings: { TOOLS_DIR: toolsDir },
    });
    const { generator } = fixture;
    await generator.run('release:beta', ['gizmo']);

    await write('checksums: checksums.txt');
    const verified = await generator.run('release:verify', ['gizmo', '--channel', 'beta']);
    const status = await generator.run('release:status', ['gizmo']);
    await write('checksums: sums.txt');
    const absent = await generator.run('release:verify', ['gizmo', '--channel', 'beta']);
    await fixture.stop();

    expect(verified.stdout).toMatch(/passed +checksum +dlv_1\.26\.2_windows_amd64\.zip/);
    expect(verified.exitCode, verified.stdout).toBe(0);
    // contract section 6: another tool file is another beta, and says so
    expect(status.stdout).toContain('was made with another tool file');
    expect(absent.exitCode, absent.stdout).toBe(0);
  });
});

function gizmo(line: string): string {
  return `
tool: gizmo
command: dlv
first: 1.26.2
sources:
  - kind: github
    repository: example/gizmo
    assets: { amd64: "dlv_{version}_windows_amd64.zip", arm64: "dlv_{version}_windows_arm64.zip" }
    member: dlv.exe
    ${line}
module: [{ path: github.com/go-delve/delve }]
trust: { require: [pe] }
package:
  summary: Debugs
  authors: Example
  license: MIT
  projectUrl: https://example.test/gizmo
`;
}

describe.skipIf(!hasProgram('go'))('release:verify after a patch of Go came out (needs go)', () => {
  let server: TestServer;
  let generator: Generator;
  let proxies: readonly GoProxy[];
  let newer: Readonly<Record<string, string>>;
  let here: string;

  beforeAll(async () => {
    server = await startTestServer();
    here = await goHere();
    const [major, minor, patch] = here.split('.').map(Number);
    const next = `${major}.${minor}.${patch! + 1}`;
    const modules = (...versions: readonly string[]): GoModuleFiles[] => [
      {
        path: 'example.test/hello',
        version: 'v1.0.0',
        files: {
          'go.mod': `module example.test/hello\n\ngo ${major}.${minor}.0\n`,
          'main.go': 'package main\n\nfunc main() { println("hello") }\n',
          LICENSE: 'MIT\n',
        },
      },
      ...versions.map((version) => ({
        path: 'golang.org/toolchain',
        version: `v0.0.1-go${version}.linux-amd64`,
        files: { 'go.mod': 'module golang.org/toolchain\n' },
      })),
    ];
    const database = makeSumDatabase(modules(here, next));
    proxies = [
      await startGoProxy(modules(here), database),
      await startGoProxy(modules(here, next), database),
    ];
    newer = proxies[1]!.env;
    generator = await makeGenerator({
      FEED_URL: `${server.url}/nuget`,
      FEED_API_KEY: await makeKey(server, ['push']),
      TOOLS_DIR: await makeHello('[sumdb, pe, buildinfo]'),
      ...proxies[0]!.env,
    });
    const released = await generator.run('release:beta', ['hello']);
    expect(released.exitCode, released.stderr).toBe(0);
  }, 600_000);
  afterAll(async () => {
    await Promise.all([generator, server, ...proxies].map((one) => one.stop()));
  });

  it('needs no other beta', async () => {
    const status = await generator.run('release:status', ['hello'], { env: newer });
    const released = await generator.run('release:beta', ['hello', '--json'], { env: newer });

    expect(status.stdout).toContain('do nothing');
    expect(released.stdout).toContain('"kind":"nothing"');
    expect(released.exitCode).toBe(0);
  });

  it('finds no fault, and builds it again with the recorded Go', { timeout: 600_000 }, async () => {
    const args = ['hello', '--channel', 'beta'];

    const asked = await generator.run('release:verify', args, { env: newer });
    const built = await generator.run('release:verify', [...args, '--rebuild'], { env: newer });

    expect(asked.exitCode, asked.stdout).toBe(0);
    expect(built.stderr).toContain(`with go${here}`);
    expect(built.stdout.match(/Built again, it is the same, byte for byte\./g)).toHaveLength(2);
    expect(built.exitCode, built.stdout).toBe(0);
  });

  it('requires the checksum database where the tool demands it', async () => {
    const env = { ...newer, GOSUMDB: 'off' };

    const verified = await generator.run('release:verify', ['hello', '--channel', 'beta'], { env });

    expect(verified.stdout).toMatch(/not repeated +sumdb .*The tool's file requires it/);
    expect(verified.exitCode, verified.stdout).toBe(4);
  });
});

/** Its file leaves the Go to the module, as most do. */
async function makeHello(require: string): Promise<string> {
  const dir = await makeTempDir();
  await writeFile(
    join(dir, 'hello.yaml'),
    `
tool: hello
command: hello
first: 1.0.0
sources:
  - kind: go-module
    modules: [{ module: example.test/hello, main: example.test/hello }]
module: [{ path: example.test/hello }]
trust: { require: ${require} }
package:
  summary: Says hello
  authors: Example
  license: MIT
  projectUrl: https://example.test/hello
`,
  );
  return dir;
}

/** Whoever may push a package writes its record: what it says of itself must not make less be asked for. */
describe('release:verify of a false record', () => {
  let fixture: ReleaseFixture;
  let server: TestServer;
  let proxy: TamperingProxy;
  let original: Buffer;

  beforeAll(async () => {
    server = await startTestServer();
    proxy = await startTamperingProxy(server.url);
    fixture = await startReleaseFixture({
      server,
      repositories: { 'go-delve/delve': [delveRelease('1.26.2')] },
      scopes: ['push'],
      settings: { FEED_URL: `${proxy.url}/nuget` },
    });
    await fixture.generator.run('release:beta', ['delve']);
    original = Buffer.from(await (await fetch(`${server.url}${packagePath}`)).arrayBuffer());
  });
  afterAll(async () => {
    await fixture.stop();
    await proxy.stop();
    await server.stop();
  });

  const packagePath = '/nuget/package/delve/1.26.2-beta.1';
  const other = (text: string): string => text.replace(/(?<="packaging": "3:)./, 'x');
  const elsewhere = (text: string): string =>
    text.replaceAll('github.com/go-delve/delve@', 'github.com/go-evil/delve@');
  const swap = (from: string, to: string) => (text: string) => text.replaceAll(from, to);

  it.each<[string, (text: string) => string, exitCode: number, RegExp]>([
    [
      'a source that the tool does not have',
      swap('"kind": "github"', '"kind": "npm"'),
      4,
      /not repeated +upstream .*which is not a source of the tool/,
    ],
    ['a bundle', swap('"kind": "github"', '"kind": "bundle"'), 4, /not repeated +upstream .*--from/],
    ['another repository', elsewhere, 3, /FAILED +upstream .*go-evil/],
    [
      'another repository by another tool file',
      (text) => other(elsewhere(text)),
      4,
      /not repeated +upstream .*cannot be compared: upstream was .*go-evil/,
    ],
    [
      'a better digest',
      swap('that the source states.', 'that the source swears to.'),
      3,
      /FAILED +package +tools\/release\.json/,
    ],
    [
      'evidence that nobody has',
      (text) =>
        text
          .replaceAll(
            '"authenticode",\n      "verdict": "absent"',
            '"authenticode",\n      "verdict": "passed"',
          )
          .replaceAll('absent authenticode', 'passed authenticode'),
      4,
      /not repeated +authenticode/,
    ],
  ])('that claims %s never ends with exit 0', async (_, change, exitCode, row) => {
    const forged = await rewrite(original, change);
    const [said, says] = [original, forged].map((bytes) =>
      Buffer.from(digestBytes(bytes).sha512, 'hex').toString('base64'),
    );
    proxy.tamper = (path, body) => {
      if (path === packagePath) return forged;
      if (path.includes('FindPackagesById')) return Buffer.from(String(body).replace(said!, says!));
      return undefined;
    };

    const verified = await fixture.generator.run('release:verify', ['delve', '--channel', 'beta']);

    expect(verified.stdout).toMatch(row);
    expect(verified.exitCode, verified.stdout).toBe(exitCode);
  });
});

/** The package with its record, and what VERIFICATION.txt repeats of it, written by somebody else; packed as ours are. */
async function rewrite(nupkg: Buffer, change: (text: string) => string): Promise<Buffer> {
  const texts = ['tools/release.json', 'tools/VERIFICATION.txt'];
  const entries = new AdmZip(nupkg).getEntries().map((entry) => {
    const data = entry.getData();
    const isText = texts.includes(entry.entryName);
    return { name: entry.entryName, content: [isText ? Buffer.from(change(String(data))) : data] };
  });
  const path = join(await makeTempDir(), 'forged.nupkg');
  await writeZip(path, entries);
  return readFile(path);
}
