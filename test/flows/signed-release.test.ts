import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { snappyCompress } from 'hysnappy';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Forge, ForgeRelease } from '../kit/forge.ts';
import type { ForgeAsset } from '../kit/forge-store.ts';
import { delveRelease, type Generator, goreleaserRelease } from '../kit/generator.ts';
import { type ReleaseFixture, startReleaseFixture } from '../kit/release-fixture.ts';
import { type Sigstore, startSigstore } from '../kit/sigstore.ts';
import type { TestServer } from '../kit/test-server.ts';

/** release:beta of releases that are signed without keys, by a true authority with true logs, from the forge to feed and bucket. */
describe('a release with a keyless signature', () => {
  const identityOf = (repository: string, version: string): string =>
    `https://github.com/${repository}/.github/workflows/release.yml@refs/tags/v${version}`;
  const identity = identityOf('goreleaser/goreleaser', '2.18.2');
  let sigstore: Sigstore;
  let stranger: Sigstore;
  let fixture: ReleaseFixture;
  let server: TestServer;
  let forge: Forge;
  let generator: Generator;

  beforeAll(async () => {
    [sigstore, stranger] = await Promise.all([startSigstore(), startSigstore()]);
  });
  beforeEach(async () => {
    fixture = await startReleaseFixture({ scopes: ['push:beta'] });
    ({ server, forge, generator } = fixture);
  });
  afterEach(() => fixture.stop());

  /** The tools' own identities, with this fixture's root in place of the public good one. */
  async function trust(require: string): Promise<Readonly<Record<string, string>>> {
    const tools = [
      ['goreleaser', 'goreleaser/goreleaser'],
      ['delve', 'go-delve/delve'],
    ].map(
      ([tool, repository]) =>
        `${tool}: {require: ${require}, sigstore: {identity: "https://github.com/${repository}/.github/workflows/release.yml@refs/tags/{tag}", issuer: "https://token.actions.githubusercontent.com", trustedRoot: root.json}}\n`,
    );
    await writeFile(join(generator.dir, 'root.json'), sigstore.root);
    await writeFile(join(generator.dir, 'trust.yaml'), tools.join(''));
    return { TRUST_FILE: join(generator.dir, 'trust.yaml') };
  }

  async function release(tool: string, require: string) {
    const result = await generator.run('release:beta', [tool, '--source', 'github'], {
      env: await trust(require),
    });
    return { ...result, published: await published() };
  }

  /** Everything that a refusal must leave as it was. */
  async function published(): Promise<readonly string[]> {
    const feed = await (await fetch(`${server.url}/nuget/Packages?semVerLevel=2.0.0`)).text();
    const manifests = await Promise.all(
      ['goreleaser', 'delve'].map(async (tool) => (await fetch(`${server.url}/m/beta/${tool}.json`)).status),
    );
    const payloads = await fetch(`${server.url}/dl/goreleaser/2.18.2-beta.1/goreleaser-windows-amd64.exe`);
    return [
      ...[...feed.matchAll(/<d:Version>([^<]+)</g)].map(([, version]) => String(version)),
      ...manifests.filter((status) => status !== 404).map((status) => `manifest ${status}`),
      ...(payloads.status === 404 ? [] : [`payload ${payloads.status}`]),
    ];
  }

  function checksumsOf({ assets }: ForgeRelease): Buffer {
    return assets!.find(({ name }) => name === 'checksums.txt')!.bytes;
  }

  function withFiles(release: ForgeRelease, files: Readonly<Record<string, string>>): ForgeRelease {
    const more = Object.entries(files).map(([name, text]) => ({ name, bytes: Buffer.from(text) }));
    return { ...release, assets: [...release.assets!, ...more] };
  }

  async function attest(
    files: readonly ForgeAsset[],
    by = sigstore,
    signer = identity,
    stored?: Parameters<Forge['addAttestations']>[2],
  ): Promise<void> {
    const zips = files.filter(({ name }) => name.endsWith('.zip'));
    const subject = zips.map(({ name, bytes }) => ({ name, digest: { sha256: sha256(bytes) } }));
    const bundle = await by.attest({ subject }, { identity: signer });
    for (const { bytes } of zips) forge.addAttestations(bytes, [bundle], stored);
  }

  describe('as a bundle with attestations', () => {
    const plain = goreleaserRelease('2.18.2');
    const required = '[checksum, sigstore, attestation, pe]';

    async function offer(bundle: string, release = plain): Promise<void> {
      forge.addRepository('goreleaser/goreleaser', [
        withFiles(release, { 'checksums.txt.sigstore.json': bundle }),
      ]);
      await attest(release.assets!);
    }

    it('is released, and its record says who signed', async () => {
      await offer(await sigstore.signFile(checksumsOf(plain), { identity }));

      const result = await release('goreleaser', required);

      expect(result).toMatchObject({
        exitCode: 0,
        published: ['2.18.2-beta.1', 'manifest 200', 'payload 200'],
      });
      for (const kind of ['sigstore of checksums.txt', 'attestation of goreleaser_Windows_x86_64.zip']) {
        expect(result.stderr).toContain(`passed`);
        expect(result.stderr).toContain(kind);
      }
    });

    it('is released when the forge only links to its attestations', async () => {
      await offer(await sigstore.signFile(checksumsOf(plain), { identity }));
      const inSnappy = (one: object) => Buffer.from(snappyCompress(Buffer.from(JSON.stringify(one))));

      await attest(plain.assets!, stranger, identity, inSnappy);
      expect(await release('goreleaser', '[checksum, pe]')).toMatchObject({ exitCode: 3 });

      await attest(plain.assets!, sigstore, identity, inSnappy);
      expect(await release('goreleaser', required)).toMatchObject({ exitCode: 0 });
      expect(forge.requests.filter((one) => one.startsWith('store GET /attestations/'))).not.toEqual([]);
    });

    it.each<[string, () => Promise<string>, string]>([
      [
        'by another workflow',
        () => sigstore.signFile(checksumsOf(plain), { identity: `${identity}-evil` }),
        `found it is signed by ${identity}-evil`,
      ],
      [
        'by another issuer',
        () => sigstore.signFile(checksumsOf(plain), { identity, issuer: 'https://issuer.example' }),
        'found it is vouched for by https://issuer.example',
      ],
      [
        'under a foreign root',
        () => stranger.signFile(checksumsOf(plain), { identity }),
        'found the certificate does not lead to the trusted root',
      ],
      [
        'for another release',
        () => sigstore.signFile(checksumsOf(goreleaserRelease('2.18.1')), { identity }),
        'found the signature is not of these bytes',
      ],
      [
        'with a flipped bit in the log proof',
        async () => {
          const bundle = await sigstore.signFile(checksumsOf(plain), { identity });
          return bundle.replace(/("canonicalizedBody":".{40})(.)/, (_, before: string, letter: string) =>
            before.concat(letter === 'A' ? 'B' : 'A'),
          );
        },
        "the log entry's promise is not by a log of the trusted root",
      ],
    ])('is refused when it is signed %s, whatever is required', async (_, sign, sentence) => {
      await offer(await sign());

      for (const require of [required, '[checksum, pe]']) {
        expect(await release('goreleaser', require)).toMatchObject({
          exitCode: 3,
          stderr: expect.stringContaining(sentence),
          published: [],
        });
      }
    });

    it('is refused when the zip differs from the signed one', async () => {
      const forged = goreleaserRelease('2.18.2');
      const zip = forged.assets![0]!;
      const bytes = Buffer.from(zip.bytes);
      bytes[60]! ^= 1;
      await offer(await sigstore.signFile(checksumsOf(plain), { identity }), {
        ...forged,
        assets: [{ ...zip, bytes }, ...forged.assets!.slice(1)],
      });

      expect(await release('goreleaser', required)).toMatchObject({ exitCode: 3, published: [] });
    });

    it.each([['2.15.0'], ['2.15.1']])(
      'is refused as goreleaser %s was: right hash, bad signature (spec upstream 1.2)',
      async (version) => {
        const good = goreleaserRelease(version);
        const signed = checksumsOf(good);
        // upstream added the names of signatures to the file that it had already signed
        const changed = Buffer.concat([
          signed,
          Buffer.from(`${'0'.repeat(64)}  goreleaser_Linux_x86_64.tar.gz.sig\n`),
        ]);
        const by = identityOf('goreleaser/goreleaser', version);
        forge.addRepository('goreleaser/goreleaser', [
          withFiles(
            {
              ...good,
              assets: good.assets!.map((asset) =>
                asset.name === 'checksums.txt' ? { ...asset, bytes: changed } : asset,
              ),
            },
            { 'checksums.txt.sigstore.json': await sigstore.signFile(signed, { identity: by }) },
          ),
        ]);
        await attest(good.assets!, sigstore, by);

        expect(await release('goreleaser', '[checksum, pe]')).toMatchObject({
          exitCode: 3,
          stderr: expect.stringContaining('checksums.txt is refused'),
          published: [],
        });
      },
    );

    it.each([
      ['[checksum, pe]', 0, ''],
      ['[checksum, sigstore, pe]', 3, 'expected evidence of kind sigstore, found none'],
      ['[checksum, attestation, pe]', 3, 'expected evidence of kind attestation, found none'],
    ])('without any signature, with %s required, ends with exit %i', async (require, exitCode, sentence) => {
      forge.addRepository('goreleaser/goreleaser', [plain]);

      const result = await release('goreleaser', require);

      expect(result).toMatchObject({ exitCode, stderr: expect.stringContaining(sentence) });
      expect(result.published.length > 0).toBe(exitCode === 0);
    });

    it('requires what the tool file demands for each version if there is no TRUST_FILE', async () => {
      forge.addRepository('goreleaser/goreleaser', [plain, goreleaserRelease('2.6.0')]);
      const run = (version: string) =>
        generator.run('release:beta', [`goreleaser@${version}`, '--source', 'github']);

      expect(await run('2.18.2')).toMatchObject({
        exitCode: 3,
        stderr: expect.stringContaining('expected evidence of kind sigstore'),
      });
      expect(await published()).toEqual([]);
      expect(await run('2.6.0')).toMatchObject({ exitCode: 0 });
    });

    it.each<[string, () => Promise<void>]>([
      ['by another workflow', () => attest(plain.assets!, sigstore, `${identity}-evil`)],
      ['under a foreign root', () => attest(plain.assets!, stranger)],
      [
        'of other files',
        async () => {
          const bundle = await sigstore.attest(
            { subject: [{ name: 'other.zip', digest: { sha256: 'a'.repeat(64) } }] },
            { identity },
          );
          for (const { bytes } of plain.assets!) forge.addAttestations(bytes, [bundle]);
        },
      ],
    ])('is refused when the build is attested %s, whatever is required', async (_, attestOtherwise) => {
      await offer(await sigstore.signFile(checksumsOf(plain), { identity }));
      await attestOtherwise();

      expect(await release('goreleaser', '[checksum, pe]')).toMatchObject({ exitCode: 3, published: [] });
    });

    it('is not released while the forge cannot say what it attests', async () => {
      await offer(await sigstore.signFile(checksumsOf(plain), { identity }));
      forge.failApi({ kind: 'status', status: 401 }, '/attestations/');

      expect(await release('goreleaser', '[checksum, pe]')).toMatchObject({ exitCode: 4, published: [] });
    });
  });

  describe('as a signature and a certificate', () => {
    const plain = delveRelease('1.26.3');
    const by = identityOf('go-delve/delve', '1.26.3');

    async function offer(signed: { signature: string; certificate: string }): Promise<void> {
      forge.addRepository('go-delve/delve', [
        withFiles(plain, { 'checksums.txt.sig': signed.signature, 'checksums.txt.cert': signed.certificate }),
      ]);
    }

    it('is released when they verify, and refused when a proof of the log is required', async () => {
      await offer(await sigstore.signDetached(checksumsOf(plain), { identity: by }));

      expect(await release('delve', '[checksum, sigstore, pe]')).toMatchObject({
        exitCode: 3,
        stderr: expect.stringContaining('no log entry says when it was made'),
        published: [],
      });
      expect(await release('delve', '[checksum, pe]')).toMatchObject({
        exitCode: 0,
        published: ['1.26.3-beta.1', 'manifest 200'],
      });
    });

    it.each<[string, () => Promise<{ signature: string; certificate: string }>]>([
      ['of another file', () => sigstore.signDetached('other', { identity: by })],
      ['by another workflow', () => sigstore.signDetached(checksumsOf(plain), { identity: `${by}-evil` })],
      ['under a foreign root', () => stranger.signDetached(checksumsOf(plain), { identity: by })],
    ])('is refused when they are %s', async (_, sign) => {
      await offer(await sign());

      expect(await release('delve', '[checksum, pe]')).toMatchObject({ exitCode: 3, published: [] });
    });
  });
});

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
