import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../../formats/digest.ts';
import { parseReleaseRecord, type ReleaseRecord } from '../../formats/release-record.ts';
import { loadOrMakeKey } from '../../manifest-gen/sources/bundle/key.ts';
import { readFiles, signAgain, type TarContent } from '../kit/bundle.ts';
import { makeTinyExe } from '../kit/exe.ts';
import { type Forge, startForge } from '../kit/forge.ts';
import { delveRelease, type Generator, goreleaserRelease, makeGenerator } from '../kit/generator.ts';
import { startNpmRegistry } from '../kit/npm-registry.ts';
import { hasProgram } from '../kit/programs.ts';
import { recordOn } from '../kit/record-on.ts';
import { type Sigstore, startSigstore } from '../kit/sigstore.ts';
import { makeKey, productDir, startTestServer, type TestServer } from '../kit/test-server.ts';
import { makeVuln, writeVulnDb } from '../kit/vulndb.ts';

/** bundle:create where there is a network, release:beta --from where there is none. */
describe('a bundle', () => {
  const identity = 'https://github.com/goreleaser/goreleaser/.github/workflows/release.yml@refs/tags/v2.18.2';
  let sigstore: Sigstore;
  let server: TestServer;
  let forge: Forge;
  /** The connected machine, and the one without a network. */
  let connected: Generator;
  let airGapped: Generator;

  beforeAll(async () => {
    sigstore = await startSigstore();
  });
  beforeEach(async () => {
    server = await startTestServer();
    forge = await startForge();
    connected = await makeGenerator({ GITHUB_API_URL: forge.apiUrl });
    airGapped = await makeGenerator({
      FEED_URL: `${server.url}/nuget`,
      FEED_API_KEY: await makeKey(server, ['push:beta', 'push']),
      BUNDLE_KEY: (await keyOf(connected)).publicKey,
    });
    await writeTrust(connected);
    await writeTrust(airGapped);
  });
  afterEach(async () => {
    await Promise.all([connected.stop(), airGapped.stop(), forge.stop()]);
    await server.stop();
  });

  const keyOf = ({ dir }: Generator) => loadOrMakeKey(join(dir, 'data', 'bundle.key'));
  const trustOf = ({ dir }: Generator) => ({ TRUST_FILE: join(dir, 'trust.yaml') });
  const bundleFile = (): string => join(connected.dir, 'tools.bundle');

  async function writeTrust({ dir }: Generator): Promise<void> {
    const signed = `{identity: "https://github.com/goreleaser/goreleaser/.github/workflows/release.yml@refs/tags/{tag}", issuer: "https://token.actions.githubusercontent.com", trustedRoot: root.json}`;
    await writeFile(join(dir, 'root.json'), sigstore.root);
    await writeFile(
      join(dir, 'trust.yaml'),
      `goreleaser: {require: [checksum, sigstore, attestation, pe], sigstore: ${signed}}\ndelve: {require: [pe]}\nbuf: {require: [pe]}\n`,
    );
  }

  /** goreleaser with all that it signs, delve with a checksum file. */
  async function offer(): Promise<void> {
    const plain = goreleaserRelease('2.18.2');
    const checksums = plain.assets!.find(({ name }) => name === 'checksums.txt')!.bytes;
    const bundle = Buffer.from(await sigstore.signFile(checksums, { identity }));
    const zips = plain.assets!.filter(({ name }) => name.endsWith('.zip'));
    const subject = zips.map(({ name, bytes }) => ({ name, digest: { sha256: sha256(bytes) } }));
    const attested = await sigstore.attest({ subject }, { identity });
    for (const { bytes } of zips) forge.addAttestations(bytes, [attested]);
    forge.addRepository('goreleaser/goreleaser', [
      { ...plain, assets: [...plain.assets!, { name: 'checksums.txt.sigstore.json', bytes: bundle }] },
    ]);
    forge.addRepository('go-delve/delve', [delveRelease('1.26.3'), delveRelease('1.26.2')]);
  }

  function create(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const all = [...args, '--out', 'tools.bundle'];
    return connected.run('bundle:create', all, { env: { ...trustOf(connected), ...env } });
  }

  function take(file: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
    return airGapped.run('release:beta', ['--from', file, ...args], {
      env: { ...trustOf(airGapped), ...env },
    });
  }

  /** In a process that can dial nothing but the feed; the forge is gone. */
  async function takeWithoutNetwork(verb: string, args: readonly string[]) {
    await forge.stop();
    const log = join(airGapped.dir, 'dialled');
    const preload = pathToFileURL(join(productDir, 'test', 'kit', 'no-network.mjs')).href;
    const child = airGapped.spawn(verb, args, {
      ...trustOf(airGapped),
      NODE_OPTIONS: `--import ${preload}`,
      NO_NETWORK_LOG: log,
      NO_NETWORK_BUT: new URL(server.url).port,
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => (said += String(text)));
    const [exitCode] = await once(child, 'close');
    return {
      exitCode: exitCode as number,
      said,
      dialled: existsSync(log) ? await readFile(log, 'utf8') : '',
    };
  }

  async function published(): Promise<readonly string[]> {
    const feed = await (await fetch(`${server.url}/nuget/Packages?semVerLevel=2.0.0`)).text();
    const statuses = await Promise.all(
      ['goreleaser', 'delve', 'buf'].map(
        async (tool) => (await fetch(`${server.url}/m/beta/${tool}.json`)).status,
      ),
    );
    return [
      ...[...feed.matchAll(/<d:Version>([^<]+)</g)].map(([, version]) => String(version)),
      ...statuses.filter((status) => status !== 404).map(String),
    ];
  }

  it('brings signed releases to a machine without a network, verified there once more', async () => {
    await offer();
    const made = await create(['goreleaser', 'delve@1.26.3']);
    expect(made).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('BUNDLE_KEY=RW') });
    const payloads = (await recordsIn(bundleFile())).flatMap((record) => record.payloads);

    const taken = await takeWithoutNetwork('release:beta', ['--from', bundleFile()]);

    expect(taken).toMatchObject({ exitCode: 0, dialled: '' });
    for (const line of ['sigstore of checksums.txt', 'attestation of goreleaser_Windows_x86_64.zip']) {
      expect(taken.said).toContain(line);
    }
    expect([...(await published())].sort()).toEqual(['1.26.3-beta.1', '2.18.2-beta.1', '200', '200']);
    const record = await recordOn(server, 'goreleaser', '2.18.2-beta.1');
    expect(record.source).toMatchObject({
      kind: 'bundle',
      upstream: 'github.com/goreleaser/goreleaser@v2.18.2',
    });
    expect(payloads).toEqual(expect.arrayContaining(record.payloads));
    const { keyId } = record.evidence.find(({ kind }) => kind === 'digest')!;
    expect(record.evidence.find(({ kind }) => kind === 'digest')!.detail).toContain(
      `bundle signed by ${keyId}`,
    );
    // nothing of the bundle stays behind
    expect(await readdir(join(airGapped.dir, 'cache', 'bundles'))).toEqual([]);

    const again = await take(bundleFile());
    expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('nothing to do') });
  });

  it('includes the version that a withdrawal goes back to', async () => {
    await offer();
    await create(['delve@1.26.3', 'delve@1.26.2']);
    const env = { ...trustOf(airGapped), FEED_API_KEY: server.adminKey };
    await take(bundleFile(), ['delve@1.26.3']);
    const alone = await airGapped.run('release:promote', ['delve'], { env });
    const promoted = await airGapped.run('release:promote', ['delve', '--from', bundleFile()], { env });
    const args = ['delve@1.26.3', '--to', '1.26.2', '--reason', 'crashes on start', '--from', bundleFile()];
    const npm = await airGapped.run('release:withdraw', [...args, '--source', 'npm'], { env });

    const taken = await airGapped.run('release:withdraw', args, { env });

    expect(alone).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('--from BUNDLE') });
    expect(promoted.exitCode, promoted.stderr).toBe(0);
    expect(npm).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('delve has no source npm') });
    expect(taken.exitCode, taken.stderr).toBe(0);
    expect((await recordOn(server, 'delve', '1.26.3.1')).source).toMatchObject({
      kind: 'bundle',
      upstream: 'github.com/go-delve/delve@v1.26.2',
      version: '1.26.2',
    });
  });

  it('makes the same payloads as over the network, where nothing is left to do afterwards', async () => {
    await offer();
    await create(['delve@1.26.3']);
    expect(await take(bundleFile())).toMatchObject({ exitCode: 0 });

    const other = await startTestServer();
    const overNetwork = await makeGenerator({
      FEED_URL: `${other.url}/nuget`,
      FEED_API_KEY: await makeKey(other, ['push:beta']),
      GITHUB_API_URL: forge.apiUrl,
      ...trustOf(airGapped),
    });
    expect(await overNetwork.run('release:beta', ['delve@1.26.3'])).toMatchObject({ exitCode: 0 });
    const [carried, fetched] = [
      await recordOn(server, 'delve', '1.26.3-beta.1'),
      await recordOn(other, 'delve', '1.26.3-beta.1'),
    ];
    expect(carried.payloads).toEqual(fetched.payloads);
    expect(carried.evidence.map(({ kind, verdict, subject }) => [kind, verdict, subject])).toEqual(
      fetched.evidence.map(({ kind, verdict, subject }) => [kind, verdict, subject]),
    );
    await overNetwork.stop();
    await other.stop();

    const env = { ...trustOf(airGapped), GITHUB_API_URL: forge.apiUrl };
    expect(await airGapped.run('release:beta', ['delve@1.26.3'], { env })).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('nothing to do'),
    });
  });

  it('is verified again, and by release:verify --from down to the package', async () => {
    await offer();
    await create(['goreleaser']);
    const other = await airGapped.run('release:beta', ['delve', '--from', bundleFile()], {
      env: trustOf(airGapped),
    });
    expect(other).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('The bundle has no delve; it has goreleaser.'),
    });
    await take(bundleFile());

    const verified = await airGapped.run(
      'release:verify',
      ['--channel', 'beta', 'goreleaser', '--from', bundleFile()],
      {
        env: trustOf(airGapped),
      },
    );

    expect(verified).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('goreleaser 2.18.2-beta.1: verified'),
    });
    expect(verified.stdout).toContain('Downloaded again, it is the same');
  });

  it('is the same file each time, and is not written when one of its tools fails', async () => {
    await offer();
    await create(['goreleaser']);
    const first = await readFile(bundleFile());
    await create(['goreleaser']);
    expect(await readFile(bundleFile())).toEqual(first);

    const failed = await connected.run(
      'bundle:create',
      ['goreleaser', 'delve@9.9.9', '--source', 'github', '--out', 'none.bundle'],
      {
        env: trustOf(connected),
      },
    );
    expect(failed.exitCode).toBe(1);
    expect(existsSync(join(connected.dir, 'none.bundle'))).toBe(false);
  });

  it('has what is named twice once, and names no folder', async () => {
    await offer();
    await create(['goreleaser']);
    const first = await readFile(bundleFile());

    const twice = await create(['goreleaser', 'goreleaser@2.18.2']);
    const folder = await connected.run('bundle:create', ['goreleaser', '--out', '.']);

    expect(twice).toMatchObject({ exitCode: 0 });
    expect(await readFile(bundleFile())).toEqual(first);
    expect(folder).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('it is a folder') });
  });

  it.skipIf(!hasProgram('npm'))(
    'has a repeated npm package for both architectures once (needs npm)',
    async () => {
      const files = {
        'amd64/buf.exe': makeTinyExe(),
        'arm64/buf.exe': makeTinyExe({ architecture: 'arm64' }),
      };
      const registry = await startNpmRegistry([{ name: 'buf-win', version: '1.72.0', files }]);
      const tool = await readFile(join(productDir, 'manifest-gen', 'tools', 'buf.yaml'), 'utf8');
      for (const { dir } of [connected, airGapped]) {
        await mkdir(join(dir, 'own'));
        await writeFile(
          join(dir, 'own', 'buf.yaml'),
          tool
            .replace(/"@bufbuild\/buf-win32-(x64|arm64)"/g, 'buf-win')
            .replace('package/bin/buf.exe', 'package/{architecture}/buf.exe'),
        );
        await writeFile(join(dir, 'own-trust.yaml'), 'buf: {require: [digest, pe]}\n');
      }
      const env = ({ dir }: Generator) => ({
        TOOLS_DIR: join(dir, 'own'),
        TRUST_FILE: join(dir, 'own-trust.yaml'),
      });

      const made = await create(['buf', '--source', 'npm'], { ...registry.env, ...env(connected) });
      const taken = await take(bundleFile(), [], env(airGapped));
      await registry.stop();

      expect(made.exitCode, made.stderr).toBe(0);
      expect((await readFiles(bundleFile())).map(([path]) => path)).toEqual([
        'digests',
        'digests.minisig',
        'bundle.json',
        'buf/1.72.0/npm/buf-win-1.72.0.tgz',
        'buf/1.72.0/npm.release.json',
      ]);
      expect(taken.exitCode, taken.stderr).toBe(0);
    },
  );

  it('is not made of anything that does not verify', async () => {
    await offer();
    const env = { ...trustOf(connected) };
    await writeFile(env.TRUST_FILE, 'delve: {require: [checksum, minisign]}\n');
    expect(await create(['delve'], env)).toMatchObject({ exitCode: 3 });
    expect(existsSync(bundleFile())).toBe(false);
  });

  describe('by somebody who has the key', () => {
    const zip = 'goreleaser/2.18.2/github/goreleaser_Windows_x86_64.zip';
    const forged = goreleaserRelease('2.18.1').assets![0]!.bytes;
    const edit = (path: string, change: (bytes: Buffer) => Buffer) => (files: TarContent) =>
      files.map(([name, bytes]) => [name, name === path ? change(bytes) : bytes] as const);
    const inContent = (from: string | RegExp, to: string) =>
      edit('bundle.json', (bytes) => Buffer.from(bytes.toString().replace(from, to)));

    it.each<[string, (files: TarContent) => TarContent, string]>([
      ['another zip', edit(zip, () => forged), 'is refused'],
      [
        'another zip with digest and checksum file to match',
        (files) =>
          edit('goreleaser/2.18.2/github/checksums.txt', (bytes) =>
            Buffer.from(bytes.toString().replace(sha256(bytesOf(files, zip)), sha256(forged))),
          )(
            edit('bundle.json', (bytes) =>
              Buffer.from(
                bytes
                  .toString()
                  .replace(sha256(bytesOf(files, zip)), sha256(forged))
                  .replace(
                    `"expectedBytes": ${bytesOf(files, zip).length}`,
                    `"expectedBytes": ${forged.length}`,
                  ),
              ),
            )(edit(zip, () => forged)(files)),
          ),
        'checksums.txt is refused',
      ],
      [
        'no signature',
        inContent(/,\s*\{\s*"name": "checksums.txt.sigstore.json",[^}]*\}/, ''),
        'expected evidence of kind sigstore',
      ],
      [
        'another repository',
        inContent('github.com/goreleaser/goreleaser@', 'github.com/evil/goreleaser@'),
        'its upstream',
      ],
      [
        'another address',
        inContent('https://github.com/goreleaser', 'https://evil.example/goreleaser'),
        'the address of its file',
      ],
      ['files swapped', inContent(/amd64(.*?)arm64/s, 'arm64$1amd64'), 'expected amd64'],
      [
        'another tool',
        inContent('"tool": "goreleaser"', '"tool": "gorelaeser"'),
        'There is no tool gorelaeser',
      ],
    ])("with %s is checked like upstream's files, and publishes nothing", async (_, change, sentence) => {
      await offer();
      await create(['goreleaser']);
      const bad = await signAgain(
        bundleFile(),
        join(airGapped.dir, 'bad.bundle'),
        await keyOf(connected),
        change,
      );

      const result = await take(bad);

      expect(result.stderr).toContain(sentence);
      expect(result.exitCode).toBe(sentence.startsWith('There is no tool') ? 1 : 3);
      expect(await published()).toEqual([]);
    });
  });

  it('is refused with a flipped bit, with another key, or when no key is trusted', async () => {
    await offer();
    await create(['delve']);
    const bytes = await readFile(bundleFile());
    bytes[bytes.length >> 1]! ^= 4;
    const bad = join(airGapped.dir, 'bad.bundle');
    await writeFile(bad, bytes);

    expect(await take(bad)).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('is refused') });
    const stranger = await loadOrMakeKey(join(airGapped.dir, 'stranger.key'));
    expect(await take(bundleFile(), [], { BUNDLE_KEY: stranger.publicKey })).toMatchObject({ exitCode: 3 });
    expect(await take(bundleFile(), [], { BUNDLE_KEY: '' })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('BUNDLE_KEY is not set, so no bundle is trusted'),
    });
    expect(await take(bundleFile(), [], { BUNDLE_KEY: 'RWnonsense' })).toMatchObject({ exitCode: 2 });
    expect(await take('no.bundle')).toMatchObject({ exitCode: 2 });
    expect(await published()).toEqual([]);
  });

  it('includes known vulnerabilities, for a policy there', async () => {
    await offer();
    const VULN_DB = await writeVulnDb(join(connected.dir, 'vulndb'), [
      makeVuln('GO-2026-0001', 'github.com/go-delve/delve', undefined),
      makeVuln('GO-2026-0002', 'example.test/elsewhere', undefined),
    ]);
    expect(await create(['delve'], { VULN_DB })).toMatchObject({ exitCode: 0 });

    expect((await readFiles(bundleFile())).map(([path]) => path)).toEqual(
      expect.arrayContaining([
        'vulndb/index/db.json',
        'vulndb/ID/GO-2026-0001.json',
        'vulndb/ID/GO-2026-0002.json',
      ]),
    );
    const taken = await takeWithoutNetwork('release:beta', ['--from', bundleFile()]);
    expect(taken).toMatchObject({ exitCode: 0, dialled: '' });
    expect(taken.said).toContain('1 known vulnerability;');
  });

  it.skipIf(!hasProgram('npm'))('carries npm packages (needs npm)', async () => {
    const module = { path: 'github.com/bufbuild/buf', version: '(devel)' };
    const registry = await startNpmRegistry([
      {
        name: '@bufbuild/buf-win32-x64',
        version: '1.72.0',
        files: { 'bin/buf.exe': makeTinyExe({ module }) },
      },
    ]);
    expect(await create(['buf@1.72.0', '--source', 'npm'], registry.env)).toMatchObject({ exitCode: 0 });
    await registry.stop();

    const taken = await takeWithoutNetwork('release:beta', ['--from', bundleFile()]);

    expect(taken).toMatchObject({ exitCode: 0, dialled: '' });
    expect((await recordOn(server, 'buf', '1.72.0-beta.1')).source).toMatchObject({
      kind: 'bundle',
      upstream: 'npm:@bufbuild/buf-win32-x64@1.72.0',
    });
  });

  async function recordsIn(file: string): Promise<readonly ReleaseRecord[]> {
    const files = await readFiles(file);
    return files
      .filter(([path]) => path.endsWith('.release.json'))
      .map(([, bytes]) => parseReleaseRecord(bytes.toString()));
  }
});

function bytesOf(files: TarContent, path: string): Buffer {
  return files.find(([name]) => name === path)![1];
}

function sha256(bytes: Buffer): string {
  return digestBytes(bytes).sha256;
}
