import { generateKeyPairSync, sign } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseReleaseRecord } from '../../formats/release-record.ts';
import { loadOrMakeKey } from '../../manifest-gen/sources/bundle/key.ts';
import { makeTinyExe } from '../kit/exe.ts';
import { type Generator, makeGenerator } from '../kit/generator.ts';
import { type NpmKey, type NpmRegistry, startNpmRegistry, type Vouched } from '../kit/npm-registry.ts';
import { hasProgram } from '../kit/programs.ts';
import { type Sigstore, startSigstore } from '../kit/sigstore.ts';
import { makeKey, startTestServer, type TestServer } from '../kit/test-server.ts';

/** release:beta from a registry with real keys and attestations, by the real npm client. */
describe.skipIf(!hasProgram('npm'))('a release from npm that the registry vouches for (needs npm)', () => {
  const identity = 'https://github.com/bufbuild/buf/.github/workflows/release.yml@refs/tags/v1.72.0';
  const publication = 'https://github.com/npm/attestation/tree/main/specs/publish/v0.1';
  const byWorkflow =
    'sigstore: {identity: "https://github.com/bufbuild/buf/.github/workflows/release.yml@refs/tags/{tag}", issuer: "https://token.actions.githubusercontent.com", trustedRoot: root.json}';
  const whereAttested = 'provenance: where-attested';
  const ours = makeRegistryKey('SHA256:ours');
  const other = makeRegistryKey('SHA256:ours');
  let sigstore: Sigstore;
  let stranger: Sigstore;
  let server: TestServer;
  let registry: NpmRegistry | undefined;
  let generator: Generator;

  beforeAll(async () => {
    [sigstore, stranger] = await Promise.all([startSigstore(), startSigstore()]);
  });
  beforeEach(async () => {
    server = await startTestServer();
    generator = await makeGenerator({
      FEED_URL: `${server.url}/nuget`,
      FEED_API_KEY: await makeKey(server, ['push:beta']),
    });
  });
  afterEach(async () => {
    await generator.stop();
    await registry?.stop();
    await server.stop();
  });

  function makeRegistryKey(keyid: string, expires: string | null = null) {
    const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const key = pair.publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
    return { ...pair, hint: keyid, listed: { keyid, key, expires } satisfies NpmKey };
  }

  type Change = {
    readonly signer?: typeof ours;
    readonly signedSpec?: string;
    readonly identity?: string;
    readonly by?: 'stranger';
    readonly subject?: string;
    readonly flip?: boolean;
  };

  /** All that a registry can say, right but for the change. */
  function vouch(change: Change = {}) {
    return async (spec: string, sha512: Buffer): Promise<Vouched> => {
      const { signer = ours } = change;
      const by = change.by === 'stranger' ? stranger : sigstore;
      const message = `${change.signedSpec ?? spec}:sha512-${sha512.toString('base64')}`;
      const sig = sign('sha256', Buffer.from(message), signer.privateKey);
      if (change.flip) sig[sig.length - 1]! ^= 1;
      const name = change.subject ?? `pkg:npm/${spec.replace('@', '%40')}`;
      const subject = [{ name, digest: { sha512: sha512.toString('hex') } }];
      return {
        signatures: [{ keyid: ours.hint, sig: sig.toString('base64') }],
        attestations: [
          await by.attest({ subject, predicateType: publication }, signer),
          await by.attest({ subject }, { identity: change.identity ?? identity }),
        ],
      };
    };
  }

  async function release(
    require: string,
    vouched?: ReturnType<typeof vouch>,
    keys = [ours.listed],
    signer = byWorkflow,
  ) {
    const module = { path: 'github.com/bufbuild/buf', version: '(devel)' };
    const files = { 'bin/buf.exe': makeTinyExe({ module }) };
    registry = await startNpmRegistry(
      [{ name: '@bufbuild/buf-win32-x64', version: '1.72.0', files, ...(vouched && { vouch: vouched }) }],
      keys,
    );
    await writeFile(join(generator.dir, 'root.json'), sigstore.root);
    await writeFile(join(generator.dir, 'trust.yaml'), `buf: {require: ${require}, ${signer}}\n`);
    const result = await generator.run('release:beta', ['buf@1.72.0', '--source', 'npm'], {
      env: { ...registry.env, TRUST_FILE: join(generator.dir, 'trust.yaml') },
    });
    const feed = await (await fetch(`${server.url}/nuget/Packages?semVerLevel=2.0.0`)).text();
    const manifest = await fetch(`${server.url}/m/beta/buf.json`);
    return { ...result, isPublished: feed.includes('1.72.0-beta.1') || manifest.status !== 404 };
  }

  it('is released when signature, publication and build are as they should be', async () => {
    expect(await release('[digest, provenance, pe]', vouch())).toMatchObject({
      exitCode: 0,
      isPublished: true,
    });
  });

  it.each<[string, Change, string]>([
    ['has a flipped bit in the signature', { flip: true }, 'it is not of these bytes'],
    ['is signed by another key', { signer: other }, 'it is not of these bytes'],
    [
      'is signed as another version',
      { signedSpec: '@bufbuild/buf-win32-x64@1.71.0' },
      'it is not of these bytes',
    ],
    ['was built by another workflow', { identity: `${identity}-evil` }, `it is signed by ${identity}-evil`],
    ['is attested under a foreign root', { by: 'stranger' }, 'of the trusted root'],
    ['is attested as another package', { subject: 'pkg:npm/%40evil/buf@1.72.0' }, 'it speaks of other files'],
  ])('is refused when it %s, whatever is required', async (_, change, sentence) => {
    const result = await release('[digest, pe]', vouch(change));

    expect(result).toMatchObject({ exitCode: 3, isPublished: false });
    expect(result.stderr).toContain(sentence);
  });

  it('is refused when the key had expired before, or is not named', async () => {
    const expired = { ...ours.listed, expires: '2025-01-01T00:00:00.000Z' };
    expect(await release('[digest, pe]', vouch(), [expired])).toMatchObject({
      exitCode: 3,
      isPublished: false,
    });
    await registry?.stop();
    expect(await release('[digest, pe]', vouch(), [])).toMatchObject({ exitCode: 3, isPublished: false });
  });

  it("is proved from a bundle with the root of the receiving side, and says who signed the registry's key", async () => {
    await release('[provenance, pe]', vouch());
    const TRUST_FILE = join(generator.dir, 'trust.yaml');
    const env = { ...registry!.env, TRUST_FILE };
    const source = ['buf@1.72.0', '--source', 'npm', '--out', 'b.bundle'];
    expect(await generator.run('bundle:create', source, { env })).toMatchObject({ exitCode: 0 });
    await registry?.stop();

    const feed = await startTestServer();
    const other = await makeGenerator({
      FEED_URL: `${feed.url}/nuget`,
      FEED_API_KEY: await makeKey(feed, ['push:beta']),
      BUNDLE_KEY: (await loadOrMakeKey(join(generator.dir, 'data', 'bundle.key'))).publicKey,
      TRUST_FILE,
    });
    const take = ['--from', join(generator.dir, 'b.bundle'), '--dry-run', '--out', 'made'];
    // the right root lies in the bundle, and counts for nothing
    await writeFile(join(generator.dir, 'root.json'), stranger.root);
    expect(await other.run('release:beta', take)).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('of the trusted root'),
    });
    await writeFile(join(generator.dir, 'root.json'), sigstore.root);
    expect(await other.run('release:beta', take)).toMatchObject({ exitCode: 0 });

    const text = await readFile(join(other.dir, 'made', 'buf.1.72.0-beta.1.release.json'), 'utf8');
    const details = parseReleaseRecord(text).evidence.map(({ kind, detail }) => `${kind}: ${detail}`);
    expect(details).toContainEqual(
      expect.stringMatching(
        /^provenance: The registry signed .* That this is the registry's key says the bundle signed by/,
      ),
    );
    expect(details).toContainEqual(
      expect.stringMatching(
        /^provenance: The build is attested by .* proved by the trusted root of this side/,
      ),
    );
    await Promise.all([other.stop(), feed.stop()]);
  });

  it.each<[string, ReturnType<typeof vouch> | undefined, string, number, string]>([
    ['nothing is attested', undefined, byWorkflow, 0, ''],
    ['the build is attested', vouch(), byWorkflow, 0, ''],
    [
      'the registry names attestations and has none',
      async (...about) => ({ ...(await vouch()(...about)), attestations: [] }),
      byWorkflow,
      3,
      'expected evidence of kind provenance, found none (The registry has no attestation',
    ],
    [
      'the publication alone is attested',
      async (...about) => {
        const all = await vouch()(...about);
        return { ...all, attestations: all.attestations!.slice(0, 1) };
      },
      byWorkflow,
      3,
      'What the registry attests is not how it was built',
    ],
    ['nobody is trusted for it', vouch(), '', 3, 'none (The tool names no identity to trust.'],
  ])(
    'where provenance is demanded of attested versions and %s',
    async (_, vouched, signer, exitCode, words) => {
      const rules = [whereAttested, ...(signer === '' ? [] : [signer])].join(', ');

      const result = await release('[digest, pe]', vouched, [ours.listed], rules);

      expect(result, result.stderr).toMatchObject({ exitCode, isPublished: exitCode === 0 });
      expect(result.stderr).toContain(words);
    },
  );

  it.each([
    ['[digest, pe]', 0],
    ['[digest, provenance, pe]', 3],
  ])('without any signature, with %s required, ends with exit %i', async (require, exitCode) => {
    expect(await release(require)).toMatchObject({ exitCode, isPublished: exitCode === 0 });
  });
});
