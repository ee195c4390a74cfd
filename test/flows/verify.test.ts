import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import AdmZip from 'adm-zip';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../../formats/digest.ts';
import { writeZip } from '../../formats/zip-writer.ts';
import { makeTinyExe } from '../kit/exe.ts';
import { type Forge, startForge } from '../kit/forge.ts';
import { delveRelease, type Generator, withChecksums } from '../kit/generator.ts';
import { createGitClient } from '../kit/git.ts';
import { startNpmRegistry } from '../kit/npm-registry.ts';
import { type ReleaseFixture, startReleaseFixture } from '../kit/release-fixture.ts';
import { startTamperingProxy, type TamperingProxy } from '../kit/tampering-proxy.ts';
import { makeTempDir, startTestServer, type TestServer } from '../kit/test-server.ts';
import { nowhere } from '../kit/upstream-fixture.ts';

type Row = {
  event: string;
  what: string;
  subject: string;
  verdict: string;
  expected?: string;
  found?: string;
};

/** release:verify of real releases, over real HTTP and git. */
describe('release:verify', () => {
  let server: TestServer;
  let proxy: TamperingProxy;
  let fixture: ReleaseFixture;
  let forge: Forge;
  let generator: Generator;

  beforeAll(async () => {
    server = await startTestServer();
    proxy = await startTamperingProxy(server.url);
    fixture = await startReleaseFixture({
      server,
      repositories: { 'go-delve/delve': [delveRelease('1.26.3'), delveRelease('1.26.2')] },
      scopes: ['push'],
      settings: { FEED_URL: `${proxy.url}/nuget` },
    });
    ({ forge, generator } = fixture);
    await generator.run('release:beta', ['delve@1.26.2']);
    await generator.run('release:promote', ['delve']);
    await generator.run('release:beta', ['delve@1.26.3']);
  });
  beforeEach(() => {
    proxy.tamper = () => undefined;
  });
  afterAll(async () => {
    await fixture.stop();
    await proxy.stop();
    await server.stop();
  });

  /** Everything of a run with --json, its rows by themselves. */
  async function verify(args: readonly string[], env: Record<string, string> = {}) {
    const { exitCode, stdout } = await generator.run('release:verify', [...args, '--json'], { env });
    const events = stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Row);
    const rows = events.filter(({ event }) => event === 'check');
    return { exitCode, events, rows, failed: rows.filter(({ verdict }) => verdict === 'failed') };
  }

  it('finds no fault, from the branch to upstream, without a key', async () => {
    const downloads = forge.requests.length;
    const env = { FEED_API_KEY: '' };

    const { exitCode, stdout } = await generator.run('release:verify', ['delve'], { env });

    expect(stdout).toContain('delve 1.26.2: verified, ');
    expect(exitCode).toBe(0);
    for (const row of [
      /passed +manifest +delve\.json on main +Its hashes are those of the record/,
      /passed +package +delve 1\.26\.2 +Packed again from its parts, it is the same, byte for byte/,
      /passed +payload +dlv-windows-arm64\.exe +Its bytes are those of the record/,
      /passed +upstream +dlv_1\.26\.2_windows_amd64\.zip +Downloaded again/,
      /passed +checksum +dlv_1\.26\.2_windows_amd64\.zip/,
      /passed +buildinfo +dlv-windows-amd64\.exe/,
      /passed +package +tools\/release\.json +Rendered again, it is the same/,
      /passed +sbom +delve\.cdx\.json +Rendered again from the exes, it is the same/,
    ]) {
      expect(stdout).toMatch(row);
    }
    expect(stdout).not.toMatch(/not repeated|FAILED/);
    // evidence that upstream never gave
    for (const row of stdout
      .split('\n')
      .filter((line) => / skipped +/.test(line) && !line.includes('verified')))
      expect(row).toMatch(/ skipped +(sigstore|authenticode) /);
    expect(forge.requests.slice(downloads).filter((line) => line.includes('/objects/'))).toHaveLength(3);
  });

  it('takes a beta, an older version that a branch has offered, and every tool of a channel', async () => {
    const beta = await verify(['delve', '--channel', 'beta']);
    const older = await verify(['delve@1.26.2-beta.1', '--channel', 'beta']);
    const all = await verify([]);

    expect([beta.exitCode, older.exitCode, all.exitCode]).toEqual([0, 0, 0]);
    expect(beta.events.at(-1)).toMatchObject({
      event: 'outcome',
      version: '1.26.3-beta.1',
      kind: 'verified',
    });
    expect(older.events.at(-1)).toMatchObject({ version: '1.26.2-beta.1', kind: 'verified' });
    expect(all.events.filter(({ event }) => event === 'outcome')).toMatchObject([
      { tool: 'buf', kind: 'nothing', detail: 'branch main does not offer it' },
      { tool: 'delve', kind: 'verified' },
      { tool: 'goreleaser', kind: 'nothing' },
    ]);
  });

  it('distinguishes what it could not repeat from what is wrong: exit 4', async () => {
    const { exitCode, rows, events } = await verify(['delve'], { GITHUB_API_URL: nowhere });

    expect(exitCode).toBe(4);
    expect(rows.filter(({ verdict }) => !['passed', 'skipped'].includes(verdict))).toMatchObject([
      { what: 'upstream', verdict: 'unreachable', detail: expect.stringContaining('cannot be reached') },
    ]);
    expect(rows).toContainEqual(expect.objectContaining({ what: 'buildinfo', verdict: 'passed' }));
    expect(events.at(-1)).toMatchObject({ event: 'failed', code: 'NOT_REPEATED', exitCode: 4 });
  });

  it('finds that upstream offers other files today', async () => {
    const rebuilt = await startForge();
    rebuilt.addRepository('go-delve/delve', [delveRelease('1.26.2', { filler: 'rebuilt' })]);

    const { exitCode, failed } = await verify(['delve'], { GITHUB_API_URL: rebuilt.apiUrl });
    await rebuilt.stop();

    expect(exitCode).toBe(3);
    expect(failed).toMatchObject([{ what: 'upstream', subject: 'github.com/go-delve/delve@v1.26.2' }]);
  });

  it('finds any flipped bit in what clients download', async () => {
    const places = [
      '/nuget/package/delve/1.26.2',
      '/dl/delve/1.26.2/dlv-windows-amd64.exe',
      '/dl/delve/1.26.2/dlv-windows-arm64.exe',
      '/dl/delve/1.26.2/dlv-windows-amd64.exe.sha256',
      '/dl/delve/1.26.2/delve.cdx.json',
    ];
    // without the line end of the .sha256: nobody reads it
    const bit = fc.double({ min: 0, max: 0.98, noNaN: true });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...places), bit, async (place, where) => {
        proxy.tamper = (path, body) => (path === place ? flip(body, where) : undefined);

        const { exitCode, failed } = await verify(['delve']);

        expect(exitCode).toBe(3);
        expect(failed).not.toEqual([]);
        for (const row of failed) {
          const words = { expected: expect.stringMatching(/\S/), found: expect.stringMatching(/\S/) };
          expect(row).toMatchObject(words);
          expect(row.expected).not.toBe(row.found);
        }
      }),
      { numRuns: 16 },
    );
  });

  it.each([
    'tools/LICENSE.txt',
    'tools/VERIFICATION.txt',
    'tools/release.json',
    'tools/dlv.exe',
    'delve.nuspec',
    '_rels/.rels',
    '[Content_Types].xml',
  ])('finds a changed %s even when the feed announces another hash of the package', async (name) => {
    const original = Buffer.from(
      await (await fetch(`${server.url}/nuget/package/delve/1.26.2`)).arrayBuffer(),
    );
    const forged = await repackage(original, name);
    const [said, says] = [original, forged].map((bytes) =>
      Buffer.from(digestBytes(bytes).sha512, 'hex').toString('base64'),
    );
    proxy.tamper = (path, body) => {
      if (path === '/nuget/package/delve/1.26.2') return forged;
      if (path.includes('FindPackagesById')) return Buffer.from(String(body).replace(said!, says!));
      return undefined;
    };

    const { exitCode, failed } = await verify(['delve']);

    expect(exitCode).toBe(3);
    expect(failed.map(({ expected }) => expected)).not.toContainEqual(expect.stringContaining('SHA-512 '));
  });

  it('finds any changed character in the manifest', async () => {
    const git = await createGitClient(await makeTempDir());
    const clone = await git.clone(
      `${server.url}/git/main/go-win-tools.git`,
      'bucket',
      '-c',
      'core.autocrlf=false',
    );
    const file = join(clone, 'bucket', 'delve.json');
    await git.run(clone, 'branch', '--force', 'beta', 'origin/beta');
    const text = (await git.run(clone, 'show', 'main:bucket/delve.json')).concat('\n');
    await fc.assert(
      fc.asyncProperty(fc.nat(8 * text.length - 1), async (bit) => {
        const changed = Buffer.from(text);
        changed[bit >> 3]! ^= 1 << (bit & 7);
        await writeFile(file, changed);
        const blob = await git.run(clone, 'hash-object', '-w', '--no-filters', file);
        await git.run(clone, 'update-index', '--cacheinfo', `100644,${blob},bucket/delve.json`);
        // the same bit may be drawn twice in a row
        await git.run(clone, 'commit', '--quiet', '--allow-empty', '-m', '(chore): Look away');

        const { exitCode, failed } = await verify(['delve'], { BUCKET_URL: clone });

        expect([exitCode, failed.length > 0]).toEqual([3, true]);
      }),
      { numRuns: 12 },
    );
  });

  it.each([
    [
      ['delve@1.26.3'],
      1,
      'branch main never offered 1.26.3.\n  Name a version that it offered, or none for the current one: `release:status delve`.',
    ],
    [['buf'], 1, 'branch main does not offer it.\n  Run `release:beta buf` and `release:promote buf` first.'],
    [['buf', '--channel', 'beta'], 1, 'branch beta does not offer it.\n  Run `release:beta buf` first.'],
    [['nosuch'], 1, 'There is no tool nosuch'],
    [['delve', '--channel', 'alpha'], 2, 'Allowed choices are main, beta'],
  ])('answers %j with exit %i', async (args, exitCode, sentence) => {
    expect(await generator.run('release:verify', args)).toMatchObject({
      exitCode,
      stderr: expect.stringContaining(sentence),
    });
  });
});

function flip(body: Buffer, where: number): Buffer {
  const bent = Buffer.from(body);
  const bit = Math.floor(where * bent.length * 8);
  bent[bit >> 3]! ^= 1 << (bit & 7);
  return bent;
}

/** The package with one part changed, packed as ours are: sizes and checksums of the zip are right. */
async function repackage(nupkg: Buffer, changed: string): Promise<Buffer> {
  const entries = new AdmZip(nupkg).getEntries().map((entry) => {
    const data = entry.getData();
    const text = data.toString('latin1');
    // in the middle of a text, where no reader minds
    const at = changed.endsWith('.exe') ? data.length - 1 : text.search(/(?<=[a-z]{2})[a-z](?=[a-z])/);
    const content = entry.entryName === changed ? Buffer.from(data) : data;
    if (entry.entryName === changed) content[at]! ^= 1;
    return { name: entry.entryName, content: [content] };
  });
  const path = join(await makeTempDir(), 'forged.nupkg');
  await writeZip(path, entries);
  return readFile(path);
}

describe('release:verify of a tool with two upstream sources', () => {
  it('compares the exe of the other source, and says when it differs', async () => {
    const exe = makeTinyExe({ module: { path: 'github.com/bufbuild/buf', version: '(devel)' } });
    const assets = withChecksums([{ name: 'buf-Windows-x86_64.exe', bytes: exe }]).map((asset) =>
      asset.name === 'checksums.txt' ? { ...asset, name: 'sha256.txt' } : asset,
    );
    const npmWith = (bytes: Buffer) =>
      startNpmRegistry([
        { name: '@bufbuild/buf-win32-x64', version: '1.72.0', files: { 'bin/buf.exe': bytes } },
      ]);
    const [same, other] = [await npmWith(exe), await npmWith(Buffer.concat([exe, Buffer.from('!')]))];
    const trustFile = join(await makeTempDir(), 'trust.yaml');
    await writeFile(trustFile, 'buf: {require: [checksum, pe]}\n');
    const fixture = await startReleaseFixture({
      repositories: { 'bufbuild/buf': [{ tag: 'v1.72.0', assets }] },
      scopes: ['push'],
      settings: { TRUST_FILE: trustFile },
    });
    const { generator } = fixture;
    await generator.run('release:beta', ['buf@1.72.0', '--source', 'github']);
    const args = ['buf', '--channel', 'beta'];

    const good = await generator.run('release:verify', args, { env: same.env });
    const bad = await generator.run('release:verify', args, { env: other.env });
    await Promise.all([fixture, same, other].map((one) => one.stop()));

    expect(good.stdout).toMatch(/passed +other source +npm:@bufbuild\/buf-win32-x64@1\.72\.0, amd64/);
    expect(good.exitCode).toBe(0);
    expect(bad.exitCode).toBe(3);
    expect(bad.stderr).toContain(digestBytes(exe).sha256);
  });
});
