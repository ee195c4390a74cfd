import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../../formats/digest.ts';
import { openNupkg } from '../../formats/nupkg.ts';
import { parseReleaseRecord } from '../../formats/release-record.ts';
import { parseScoopManifest } from '../../formats/scoop-manifest.ts';
import { startCuttingProxy } from '../kit/cutting-proxy.ts';
import { type Forge, startForge } from '../kit/forge.ts';
import { delveRelease, type Generator, goreleaserRelease, makeGenerator } from '../kit/generator.ts';
import { type GoProxy, startGoProxy } from '../kit/go-proxy.ts';
import { hasProgram } from '../kit/programs.ts';
import { download, versionsOn } from '../kit/published.ts';
import { type ReleaseFixture, startReleaseFixture } from '../kit/release-fixture.ts';
import { makeTempDir, productDir, startTestServer, type TestServer } from '../kit/test-server.ts';
import { until } from '../kit/until.ts';
import { nowhere } from '../kit/upstream-fixture.ts';

function startWithReleases(): Promise<ReleaseFixture> {
  return startReleaseFixture({
    repositories: {
      'go-delve/delve': [delveRelease('1.26.3'), delveRelease('1.26.2')],
      'goreleaser/goreleaser': [goreleaserRelease('1.20.0')],
    },
    scopes: ['push:beta'],
  });
}

/** release:beta from a forge to feed and bucket, over real HTTP and git. */
describe('release:beta', () => {
  let fixture: ReleaseFixture;
  let server: TestServer;
  let forge: Forge;
  let generator: Generator;

  beforeEach(async () => {
    fixture = await startWithReleases();
    ({ server, forge, generator } = fixture);
  });
  afterEach(() => fixture.stop());

  it('publishes payloads, package and manifest, and a second run changes nothing', async () => {
    const first = await generator.run('release:beta', ['delve']);

    expect(first).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('delve 1.26.3-beta.1: released'),
    });
    const manifest = await readManifest(server, 'beta');
    expect(manifest.version).toBe('1.26.3-beta.1');
    for (const name of ['64bit', 'arm64'] as const) {
      const { url, hash } = manifest.architecture![name]!;
      const bytes = await download(String(url).replace(/#.*$/, ''));
      expect(digestBytes(bytes).sha256).toBe(hash);
      expect(await text(`${String(url).replace(/#.*$/, '')}.sha256`)).toBe(`${hash}\n`);
    }
    expect(await status(`${server.url}/m/delve.json`)).toBe(404);

    const page = `${server.url}/packages/delve`;
    expect(first.stdout).toMatch(new RegExp(`^  how testers install it: ${page}$`, 'm'));
    expect(await text(page)).toContain('choco install delve --pre');

    const second = await generator.run('release:beta', ['delve']);

    expect(second).toMatchObject({
      exitCode: 0,
      stdout: 'delve 1.26.3-beta.1: nothing to do, beta offers 1.26.3-beta.1\n',
    });
    expect(await versionsOn(server, 'delve')).toEqual(['1.26.3-beta.1']);
  });

  it('uploads a list of what the exes are made of, once', async () => {
    await generator.run('release:beta', ['delve']);
    const address = `${server.url}/dl/delve/1.26.3-beta.1/delve.cdx.json`;
    const answer = await fetch(address);
    const bom = (await answer.json()) as { metadata: { component: object }; components: { name: string }[] };

    expect(answer.headers.get('content-type')).toBe('application/vnd.cyclonedx+json');
    expect(bom.metadata.component).toMatchObject({
      name: 'delve',
      version: '1.26.3',
      purl: 'pkg:golang/github.com/go-delve/delve@v1.26.3',
    });
    expect(bom.components.map(({ name }) => name)).toEqual([
      'dlv-windows-amd64.exe',
      'dlv-windows-arm64.exe',
      'example.test/dep',
      'stdlib',
    ]);
    expect(await text(`${address}.sha256`)).toBe(`${digestBytes(await download(address)).sha256}\n`);
  });

  it('keeps an existing list by another version of the generator, and says so', async () => {
    const address = `${server.url}/dl/delve/1.26.3-beta.1/delve.cdx.json`;
    const headers = { 'x-nuget-apikey': String(generator.env.FEED_API_KEY) };
    await fetch(address, { method: 'PUT', body: '{}', headers });

    const { exitCode, stderr } = await generator.run('release:beta', ['delve']);

    expect(exitCode).toBe(0);
    expect(stderr).toMatch(
      /warning: .*delve.cdx.json with other bytes: expected SHA-256 [0-9a-f]{64}, found [0-9a-f]{64}\. The existing one stays/,
    );
    expect(await text(address)).toBe('{}');
  });

  it('puts a record into the package that names upstream, and no address that was used', async () => {
    await generator.run('release:beta', ['delve@v1.26.2']);

    const file = join(generator.dir, 'delve.nupkg');
    await writeFile(file, await download(`${server.url}/nuget/package/delve/1.26.2-beta.1`));
    const nupkg = await openNupkg(file);
    const recordText = (await nupkg.readEntry('tools/release.json', 1e6)).toString();
    const exe = await nupkg.readEntry('tools/dlv.exe', 1e6);
    await nupkg.close();

    const record = parseReleaseRecord(recordText);
    expect(record).toMatchObject({
      tool: 'delve',
      version: '1.26.2-beta.1',
      builtBy: 'upstream',
      source: { kind: 'github', upstream: 'github.com/go-delve/delve@v1.26.2', version: '1.26.2' },
    });
    expect(record.payloads.map(({ file }) => file)).toEqual([
      'dlv-windows-amd64.exe',
      'dlv-windows-arm64.exe',
    ]);
    expect(record.payloads[0]!.sha256).toBe(digestBytes(exe).sha256);
    for (const address of [server.url, forge.apiUrl]) expect(recordText).not.toContain(address);
  });

  it('shows the plan before it acts, and never the key', async () => {
    const { stderr, stdout } = await generator.run('release:beta', ['delve']);

    expect(stderr.split('\n')[0]).toMatch(/tool +upstream +beta +main +plan/);
    expect(stderr).toMatch(/delve +1\.26\.3 +- +- +release 1\.26\.3-beta\.1: /);
    expect(stderr).toMatch(/source +github: github\.com\/go-delve\/delve@v1\.26\.3\n/);
    expect(stderr).toMatch(/evidence +checksum, pe/);
    expect(stderr.indexOf('release 1.26.3-beta.1: ')).toBeLessThan(stderr.indexOf('fetch'));
    expect(stderr + stdout + server.logged()).not.toContain(generator.env.FEED_API_KEY);
  });

  it('makes the published files again from another cache, byte for byte', async () => {
    await generator.run('release:beta', ['delve', '--out', 'first']);
    await generator.run('release:beta', ['delve', '--out', 'second'], {
      env: { CACHE_DIR: join(generator.dir, 'other-cache') },
    });

    for (const name of await readdir(join(generator.dir, 'first'))) {
      const [first, second] = await Promise.all(
        ['first', 'second'].map((folder) => readFile(join(generator.dir, folder, name))),
      );
      expect(first!.equals(second!), name).toBe(true);
    }
  });

  it('prints one JSON object a line for programs and nothing else', async () => {
    const { stdout, stderr } = await generator.run('release:beta', ['delve', '--json']);

    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events[0]).toMatchObject({ event: 'plan', tool: 'delve', to: '1.26.3-beta.1', does: 'release' });
    expect(events.at(-1)).toMatchObject({ event: 'outcome', tool: 'delve', kind: 'released' });
    expect(events.filter(({ event }) => event === 'step').map(({ step }) => step)).toEqual(
      expect.arrayContaining(['fetch', 'judge', 'scan', 'pack', 'payloads', 'push', 'commit']),
    );
    // a step that looked at nothing says so
    const skipped = { event: 'step', tool: 'delve', step: 'skipped', detail: 'scan: VULN_DB is not set' };
    expect(events).toContainEqual(skipped);
    expect(stderr).toBe('');
  });

  it('prints little with --quiet', async () => {
    expect(await generator.run('release:beta', ['delve', '--quiet'])).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
    });
  });

  it('releases the other tools when one fails, and ends with its exit code', async () => {
    const result = await generator.run('release:beta', ['goreleaser@1.19.9', 'delve']);

    expect(result.exitCode).toBe(4);
    expect(result.stdout).toContain('delve 1.26.3-beta.1: released');
    expect(result.stderr).toContain('1 of 2 failed: goreleaser.');
    expect(await versionsOn(server, 'delve')).toEqual(['1.26.3-beta.1']);
  });

  it('accepts one list of sources for tools that do not have all of them', async () => {
    const result = await generator.run('release:beta', ['delve', '--source', 'npm,github']);

    expect(result).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('1.26.3-beta.1: released') });
  });

  it('makes another beta of the same version only when upstream changed its files', async () => {
    await generator.run('release:beta', ['delve']);
    const other = await startForge();
    other.addRepository('go-delve/delve', [delveRelease('1.26.3', { filler: 'rebuilt' })]);

    const result = await generator.run('release:beta', ['delve'], { env: { GITHUB_API_URL: other.apiUrl } });
    await other.stop();

    expect(result.stdout).toContain('delve 1.26.3-beta.2: released');
    expect(await versionsOn(server, 'delve')).toEqual(['1.26.3-beta.1', '1.26.3-beta.2']);
  });

  it('releases an older version only before a newer one', async () => {
    await generator.run('release:beta', ['delve@1.26.3']);

    const result = await generator.run('release:beta', ['delve@1.26.2']);

    expect(result).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('a branch never goes back'),
    });
    expect(await versionsOn(server, 'delve')).toEqual(['1.26.3-beta.1']);
  });

  it('says how to get a key when none is set, before anything is downloaded', async () => {
    const result = await generator.run('release:beta', ['delve'], { env: { FEED_API_KEY: '' } });

    expect(result).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('There is no key for the feed'),
    });
    expect(forge.requests.some((line) => line.startsWith('store'))).toBe(false);
  });

  it('ends with 130 when it is interrupted, and a later run completes the work', async () => {
    const controller = new AbortController();
    const aborting = await startForge();
    aborting.addRepository('go-delve/delve', [
      {
        ...delveRelease('1.26.3'),
        assets: delveRelease('1.26.3').assets!.map((asset) => ({
          ...asset,
          fault: { kind: 'hang', afterBytes: 10 },
        })),
      },
    ]);
    const running = generator.run('release:beta', ['delve'], {
      env: { GITHUB_API_URL: aborting.apiUrl },
      signal: controller.signal,
    });
    await until(async () => aborting.requests.some((line) => line.includes('/objects/')));
    controller.abort();
    const result = await running;
    await aborting.stop();

    expect(result).toMatchObject({ exitCode: 130 });
    expect(await versionsOn(server, 'delve')).toEqual([]);
    expect(await generator.run('release:beta', ['delve'])).toMatchObject({ exitCode: 0 });
  });

  it('says what was published when it is interrupted halfway, and a later run completes the rest', async () => {
    const controller = new AbortController();
    const proxy = await startCuttingProxy(server.url);
    const env = { FEED_URL: `${proxy.url}/nuget` };
    proxy.trap('PUT /nuget/', 'after', () => controller.abort());

    const result = await generator.run('release:beta', ['delve'], { env, signal: controller.signal });
    const again = await generator.run('release:beta', ['delve'], { env });
    await proxy.stop();

    expect(result.exitCode).toBe(130);
    expect(result.stderr).toContain(
      'Interrupted: Published: payload delve/1.26.3-beta.1/dlv-windows-amd64.exe; payload delve/1.26.3-beta.1/dlv-windows-arm64.exe; payload delve/1.26.3-beta.1/delve.cdx.json.',
    );
    expect(again.stdout).toContain('the package was already on the feed, branch beta now offers it');
    expect((await readManifest(server, 'beta')).version).toBe('1.26.3-beta.1');
  });
});

/** One fixture for all, in which nothing may have been published at the end. */
describe('release:beta that releases nothing', () => {
  let fixture: ReleaseFixture;
  let server: TestServer;
  let forge: Forge;
  let generator: Generator;

  beforeAll(async () => {
    fixture = await startWithReleases();
    ({ server, forge, generator } = fixture);
  });
  afterAll(async () => {
    const versions = await versionsOn(server, 'delve');
    await fixture.stop();
    expect(versions).toEqual([]);
  });

  it('publishes nothing in a dry run, needs no key for it, and keeps the three files', async () => {
    const args = ['delve', '--dry-run', '--out', 'made'];
    const result = await generator.run('release:beta', args, { env: { FEED_API_KEY: '' } });

    expect(result.exitCode).toBe(0);
    expect((await readdir(join(generator.dir, 'made'))).sort()).toEqual([
      'delve.1.26.3-beta.1.nupkg',
      'delve.1.26.3-beta.1.release.json',
      'delve.json',
    ]);
    expect(await versionsOn(server, 'delve')).toEqual([]);
    expect(await status(`${server.url}/m/beta/delve.json`)).toBe(404);
  });

  it.each([
    [['nosuch'], 1, 'There is no tool nosuch. The tools are buf, delve, goreleaser.'],
    [['delve@1.26.3-rc.1'], 1, "upstream's prereleases are not released"],
    [['delve@banana'], 2, 'banana is not a version'],
    [['@'], 2, '"@" names no tool'],
    [['delve@1.26'], 1, 'three numbers'],
    [['delve@'], 2, 'delve@ names no version after the @'],
    [['delve', '--out', join(productDir, 'package.json')], 2, 'package.json cannot be used'],
    [['delve', '--out', ''], 2, 'names no folder'],
    [['delve', '--source', 'floppy'], 2, 'Sources are github, npm, go-module, bundle.'],
    [['delve', '--source', 'npm'], 2, 'delve has no source npm; it has github, go-module'],
    [['delve@'], 2, 'delve@ names no version'],
    [['delve', '--nosuch'], 2, "unknown option '--nosuch'"],
  ])('answers %j with exit %i', async (args, exitCode, sentence) => {
    const result = await generator.run('release:beta', args);

    expect(result).toMatchObject({ exitCode, stderr: expect.stringContaining(sentence) });
    expect(await versionsOn(server, 'delve')).toEqual([]);
  });

  it('lists the examples and every setting in --help', async () => {
    const { exitCode, stdout } = await generator.run('release:beta', ['--help']);

    expect(exitCode).toBe(0);
    expect(stdout).toContain('release:beta delve@1.22.0 buf');
    for (const name of ['FEED_URL', 'FEED_API_KEY', 'BUCKET_URL', 'PAYLOAD_URL', 'TRUST_FILE', 'CACHE_DIR']) {
      expect(stdout).toContain(name);
    }
  });

  it('refuses a file that is not in the checksum file, and publishes nothing', async () => {
    const forged = delveRelease('1.27.2', { filler: 'forged' });
    const honest = delveRelease('1.27.2');
    forge.addRepository('go-delve/forged', []);
    const lying = await startForge();
    lying.addRepository('go-delve/delve', [
      { tag: 'v1.27.2', assets: [...forged.assets!.slice(0, 2), honest.assets![2]!] },
    ]);

    const result = await generator.run('release:beta', ['delve'], { env: { GITHUB_API_URL: lying.apiUrl } });
    await lying.stop();

    expect(result).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('Nothing was published.') });
    expect(await versionsOn(server, 'delve')).toEqual([]);
    expect(await status(`${server.url}/dl/delve/1.27.2-beta.1/dlv-windows-amd64.exe`)).toBe(404);
  });

  it('says what a wrong key may not do', async () => {
    const result = await generator.run('release:beta', ['delve'], { env: { FEED_API_KEY: 'wrong' } });

    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('API key is invalid') });
    expect(await versionsOn(server, 'delve')).toEqual([]);
  });

  it('says that the feed cannot be reached', async () => {
    const result = await generator.run('release:beta', ['delve'], { env: { FEED_URL: `${nowhere}/nuget` } });

    expect(result).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining(`The feed ${nowhere}/nuget`),
    });
  });
});

describe('the sources of release:beta', () => {
  let server: TestServer;
  let proxy: GoProxy;
  let generator: Generator;

  beforeAll(async () => {
    server = await startTestServer();
    const files = {
      'go.mod': 'module github.com/go-delve/delve\n\ngo 1.21\n',
      'cmd/dlv/main.go': 'package main\n\nfunc main() { println("dlv") }\n',
    };
    const delve = { path: 'github.com/go-delve/delve', files };
    proxy = await startGoProxy([
      { ...delve, version: 'v1.22.0' },
      { ...delve, version: 'v1.23.0' },
    ]);
    generator = await makeGenerator({
      FEED_URL: `${server.url}/nuget`,
      FEED_API_KEY: server.adminKey,
      ...proxy.env,
      TOOLS_DIR: await delveWithToolchain(),
    });
  });
  afterAll(async () => {
    await generator.stop();
    await proxy.stop();
    await server.stop();
  });

  it.skipIf(!hasProgram('go'))(
    'names the --source that would work when one cannot be reached (needs go)',
    async () => {
      const named = await generator.run('release:beta', ['delve@1.22.0']);
      const newest = await generator.run('release:beta', ['delve']);

      for (const { exitCode, stderr } of [named, newest]) {
        expect(exitCode).toBe(4);
        expect(stderr).toContain('source github cannot be reached');
        expect(stderr).toContain('`--source go-module` would do');
      }
      expect(await versionsOn(server, 'delve')).toEqual([]);
    },
  );
});

/** Delve's file with its Go named in full, so that no list of toolchains is asked for, whose truth a fake could not prove. */
async function delveWithToolchain(): Promise<string> {
  const dir = await makeTempDir();
  const text = await readFile(join(productDir, 'manifest-gen', 'tools', 'delve.yaml'), 'utf8');
  const toolchains = "    toolchains:\n      - versions: '>=0.0.1'\n        go: 1.21.13\n";
  await writeFile(join(dir, 'delve.yaml'), text.replace(/(- kind: go-module\n)/, `$1${toolchains}`));
  return dir;
}

async function readManifest(server: TestServer, channel: 'beta') {
  return parseScoopManifest(await text(`${server.url}/m/${channel}/delve.json`));
}

async function text(url: string): Promise<string> {
  return (await download(url)).toString();
}

async function status(url: string): Promise<number> {
  const answer = await fetch(url);
  await answer.arrayBuffer();
  return answer.status;
}
