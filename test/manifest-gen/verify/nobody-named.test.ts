import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Fetched, Verdict } from '../../../manifest-gen/release.ts';
import { checkAttestations } from '../../../manifest-gen/verify/attestation.ts';
import { checkMinisign } from '../../../manifest-gen/verify/minisign-sidecar.ts';
import { checkProvenance } from '../../../manifest-gen/verify/provenance.ts';
import { checkSigstore } from '../../../manifest-gen/verify/sigstore.ts';
import { refusalOf } from '../../../manifest-gen/verify/verdict.ts';
import { makeAsset, makeFetched, makeFound, makeTool } from '../../kit/release-values.ts';
import { makeMinisignSigner } from '../../kit/signer.ts';
import { type Sigstore, startSigstore } from '../../kit/sigstore.ts';
import { productDir } from '../../kit/test-server.ts';

/** Evidence beside a release whose tool's file names nobody to trust: true signatures of the world, and of an authority of our own. */
const recorded = join(productDir, 'test', 'recorded');
const checksums = await readFile(join(recorded, 'goreleaser-2.18.0/checksums.txt'), 'utf8');
const bundle = await readFile(join(recorded, 'goreleaser-2.18.0/checksums.txt.sigstore.json'), 'utf8');
const identity = 'https://github.com/goreleaser/goreleaser/.github/workflows/release.yml@refs/tags/v2.18.0';
const issuer = 'https://token.actions.githubusercontent.com';

let sigstore: Sigstore;
beforeAll(async () => {
  sigstore = await startSigstore();
});

const untrusting = makeTool({
  sources: [
    {
      kind: 'github',
      repository: 'goreleaser/goreleaser',
      assets: { amd64: 'goreleaser_Windows_x86_64.zip' },
      checksums: 'checksums.txt',
      minisig: 'checksums.txt.minisig',
      sigstore: {
        bundle: 'checksums.txt.sigstore.json',
        detached: { signature: 'checksums.txt.sig', certificate: 'checksums.txt.pem' },
      },
      attestations: true,
    },
    { kind: 'npm', packages: { amd64: 'sigstore' }, member: 'package/bin/x.exe' },
  ] as never,
  trust: { require: [] },
});

function release(files: Readonly<Record<string, string>>, text = checksums): Fetched {
  const sidecars = Object.entries({ '': text, ...files }).map(([suffix, content]) => ({
    name: `checksums.txt${suffix}`,
    text: content,
  }));
  return makeFetched([], { found: makeFound({ tool: untrusting, version: '2.18.0' }), sidecars });
}

async function verdictOn(files: Readonly<Record<string, string>>, text?: string): Promise<Verdict> {
  const [verdict] = await Promise.all(checkSigstore(release(files, text)));
  return verdict!;
}

/** What refuses the release, with the kind required and without. */
function outcome(verdict: Verdict): readonly (string | undefined)[] {
  return [[], [verdict.kind]].map((required) => refusalOf([verdict], required)?.found);
}

describe('a keyless signature, without a named signer', () => {
  it('that verifies is not a pass, says who signed, and what to write to trust them', async () => {
    const verdict = await verdictOn({ '.sigstore.json': bundle });

    expect(verdict).toEqual({
      kind: 'sigstore',
      verdict: 'absent',
      subject: 'checksums.txt',
      detail: `The tool names no identity to trust. checksums.txt.sigstore.json verifies and is by ${identity} (${issuer}); to trust them, write under trust: sigstore: {identity: "${identity.replace('v2.18.0', '{tag}')}", issuer: "${issuer}"}.`,
    });
    expect(outcome(verdict)).toEqual([undefined, `none (${verdict.detail})`]);
  });

  it('of other bytes is refused, whatever is required', async () => {
    const verdict = await verdictOn({ '.sigstore.json': bundle }, `${checksums}\n`);

    expect(outcome(verdict)).toEqual(Array(2).fill('the signature is not of these bytes'));
  });

  it.each(['signedEntryTimestamp', 'canonicalizedBody', 'envelope', 'signature', 'signedTimestamp'])(
    'is refused when a character of its %s differs',
    async (field) => {
      const [, value = ''] = new RegExp(`"${field}": ?"([^"]+)"`).exec(bundle) ?? [];
      const middle = Math.floor(value.length * 0.7);
      const changed = `${value.slice(0, middle)}${value[middle] === 'A' ? 'B' : 'A'}${value.slice(middle + 1)}`;

      const verdict = await verdictOn({ '.sigstore.json': bundle.replace(value, () => changed) });

      expect(verdict.verdict).toBe('failed');
    },
  );

  it.each<[string, () => Promise<Record<string, string>>, string]>([
    [
      'by an authority that the public root does not have',
      async () => ({ '.sigstore.json': await sigstore.signFile(checksums, { identity }) }),
      'the certificate does not lead to the trusted root',
    ],
    [
      'in two files, by such an authority',
      async () => {
        const { signature, certificate } = await sigstore.signDetached(checksums, { identity });
        return { '.sig': signature, '.pem': certificate };
      },
      'the certificate does not lead to the trusted root',
    ],
    [
      "in cosign's old form, by a key",
      async () => ({ '.sigstore.json': '{"base64Signature":"MEUC"}' }),
      'it is signed with a key, not keyless',
    ],
    [
      'as a statement',
      async () => {
        const statement = await sigstore.attest({ subject: [{ digest: { sha256: 'a' } }] }, { identity });
        return { '.sigstore.json': JSON.stringify(statement) };
      },
      'it is a statement, not a signature of the file',
    ],
    [
      'without its certificate, as by a key',
      async () => ({ '.sig': 'MEUC' }),
      'there is no certificate beside it',
    ],
  ])('%s cannot be decided, so it is neither a pass nor a refusal', async (_, files, problem) => {
    const verdict = await verdictOn(await files());

    expect(verdict).toMatchObject({ verdict: 'absent', detail: expect.stringContaining(problem) });
    expect(outcome(verdict)).toEqual([undefined, `none (${verdict.detail})`]);
  });

  it.each<[string, () => Promise<Record<string, string>>, string]>([
    [
      'of other bytes, by an authority that the public root does not have',
      async () => ({ '.sigstore.json': await sigstore.signFile('other', { identity }) }),
      'the certificate does not lead to the trusted root',
    ],
    [
      'of other bytes in two files, by such an authority',
      async () => {
        const { signature, certificate } = await sigstore.signDetached('other', { identity });
        return { '.sig': signature, '.pem': certificate };
      },
      'the certificate does not lead to the trusted root',
    ],
    ['that is a page', async () => ({ '.sigstore.json': '<!DOCTYPE html>' }), 'it is not JSON'],
    ['that is another document', async () => ({ '.sigstore.json': '{}' }), 'it is not a Sigstore bundle'],
    ['in two pages', async () => ({ '.sig': '<html>', '.pem': '<html>' }), 'it is not in base64'],
  ])('%s is refused: no signer could make it good', async (_, files, problem) => {
    expect(outcome(await verdictOn(await files()))).toEqual(Array(2).fill(problem));
  });

  it('is refused by a bad pair of files beside a good bundle', async () => {
    const { signature } = await sigstore.signDetached('other', { identity });
    const { certificate } = await sigstore.signDetached(checksums, { identity });

    const verdict = await verdictOn({ '.sigstore.json': bundle, '.sig': signature, '.pem': certificate });

    expect(verdict).toMatchObject({
      verdict: 'failed',
      detail: expect.stringMatching(/^checksums\.txt\.sig: /),
    });
  });

  it('never passes, whatever is there', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.jsonValue(), async (text, json) => {
        for (const content of [text, JSON.stringify(json)]) {
          expect((await verdictOn({ '.sigstore.json': content })).verdict).not.toBe('passed');
          expect((await verdictOn({ '.sig': content, '.pem': content })).verdict).not.toBe('passed');
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe('an attestation of the build by the forge, without a named signer', () => {
  async function attested(make: (sha256: string) => Promise<readonly object[]>): Promise<Verdict> {
    const asset = await makeAsset(Buffer.from('zip'), { name: 'x.zip' });
    const bundles = await make(asset.digest.sha256);
    const fetched = makeFetched([asset], {
      found: makeFound({ tool: untrusting, version: '2.18.0' }),
      sidecars: [{ name: 'x.zip.attestations.json', text: JSON.stringify(bundles) }],
    });
    const [verdict] = await Promise.all(checkAttestations(fetched));
    return verdict!;
  }
  const build = (sha256: string) => sigstore.attest({ subject: [{ digest: { sha256 } }] }, { identity });

  it('by an authority that the public root does not include is neither a pass nor a refusal', async () => {
    const verdict = await attested(async (sha256) => [await build(sha256)]);

    expect(verdict).toMatchObject({ verdict: 'absent', detail: expect.stringContaining('cannot be judged') });
    expect(outcome(verdict)).toEqual([undefined, `none (${verdict.detail})`]);
  });

  it.each<[string, (sha256: string) => Promise<readonly object[]>, string]>([
    ['of other files', async () => [await build('a'.repeat(64))], 'it speaks of other files'],
    ['that is nowhere', async () => [null as never], 'it is not a Sigstore bundle'],
    [
      'beside one of other files',
      async (sha256) => [await build(sha256), await build('a'.repeat(64))],
      'it speaks of other files',
    ],
    [
      'whose signature is of another statement',
      async (sha256) => {
        const [one, other] = (await Promise.all([build(sha256), build('a'.repeat(64))])) as AnyStatement[];
        one!.dsseEnvelope.signatures = other!.dsseEnvelope.signatures;
        return [one!];
      },
      'the certificate does not lead to the trusted root',
    ],
  ])('%s is refused', async (_, make, problem) => {
    expect(outcome(await attested(make))).toEqual(Array(2).fill(problem));
  });
});

describe("npm's attestations, without a named signer", () => {
  const spec = 'sigstore@0.4.0';
  const sha512 =
    '282c0c5fa936d264321643581b65d3de5c0af6ed4fdfac12f5851115df39cc25cfaf0ad22d908487bfef30114d61c25746206d1834be4f8fd1659178f77cc004';

  /** The verdict on the recorded attestations, of a file with this hash. */
  async function attested(hex = sha512, change = (text: string) => text): Promise<Verdict> {
    const asset = await makeAsset(Buffer.from('tgz'), { name: 'sigstore-0.4.0.tgz' });
    const { attestations } = JSON.parse(
      await readFile(join(recorded, 'npm-sigstore-0.4.0/attestations.json'), 'utf8'),
    ) as { attestations: { bundle: object }[] };
    const signatures = { spec, published: '2023-01-31T00:00:00Z', signatures: [], keys: npmKeys() };
    const fetched = makeFetched([{ ...asset, digest: { ...asset.digest, sha512: hex } }], {
      found: makeFound({ tool: untrusting, version: '0.4.0', kind: 'npm' }),
      sidecars: [
        { name: 'sigstore-0.4.0.tgz.signatures.json', text: JSON.stringify(signatures) },
        {
          name: 'sigstore-0.4.0.tgz.attestations.json',
          text: change(JSON.stringify(attestations.map(({ bundle: one }) => one))),
        },
      ],
    });
    const [, verdict] = await Promise.all(checkProvenance(fetched));
    return verdict!;
  }

  it('verify under the public root, and say whose build it is', async () => {
    const verdict = await attested();

    const workflow = 'https://github.com/sigstore/sigstore-js/.github/workflows/publish.yml@refs/tags/v0.4.0';
    expect(verdict).toMatchObject({ kind: 'provenance', verdict: 'absent' });
    expect(verdict.detail).toContain(`verifies and is by ${workflow} (${issuer})`);
    expect(outcome(verdict)).toEqual([undefined, `none (${verdict.detail})`]);
  });

  it.each<[string, string | undefined, ((text: string) => string) | undefined, string]>([
    ['of another tarball', 'a'.repeat(128), undefined, 'it speaks of other files'],
    [
      'with a changed promise of the log',
      undefined,
      (text) =>
        text.replace(
          /("signedEntryTimestamp":"M.{23})(.)/,
          (_, b: string, l: string) => b + (l === 'A' ? 'B' : 'A'),
        ),
      "the log entry's promise is not by a log of the trusted root",
    ],
    [
      'by a key that the registry does not name',
      undefined,
      (text) => text.replace('"hint":"SHA256:jl3', '"hint":"SHA256:xl3'),
      'it cannot be read',
    ],
  ])('%s are refused', async (_, hex, change, problem) => {
    expect(outcome(await attested(hex, change))).toEqual(Array(2).fill(problem));
  });
});

describe('a minisign signature, without a named key', () => {
  it('cannot be verified: it is not a pass, and names its key', async () => {
    const signer = makeMinisignSigner();
    const [verdict] = checkMinisign(release({ '.minisig': signer.sign('whatever') }));

    expect(verdict).toMatchObject({
      verdict: 'absent',
      detail: expect.stringContaining(`checksums.txt.minisig is by the key ${signer.keyId}, unverified`),
    });
    expect(outcome(verdict!)).toEqual([undefined, `none (${verdict!.detail})`]);
  });

  it.each(['', '<!DOCTYPE html>', 'untrusted comment: x\nAAAA\n'])('that is %j is refused', (text) => {
    const [verdict] = checkMinisign(release({ '.minisig': text }));

    expect(outcome(verdict!)).toEqual(Array(2).fill('not a minisign signature'));
  });
});

type AnyStatement = { dsseEnvelope: { signatures: object[] } };

/** npm's own keys, as Sigstore's package brings them. */
function npmKeys(): readonly object[] {
  const seeds = createRequire(import.meta.url)('@sigstore/tuf/seeds.json') as Record<
    string,
    { targets: Record<string, string> }
  >;
  const { targets } = seeds['https://tuf-repo-cdn.sigstore.dev']!;
  const [, target = ''] = Object.entries(targets).find(([name]) => name.endsWith('%2Fkeys.json'))!;
  const { keys } = JSON.parse(Buffer.from(target, 'base64').toString()) as {
    keys: { keyId: string; publicKey: { rawBytes: string; validFor: { end?: string } } }[];
  };
  return keys.map(({ keyId, publicKey: { rawBytes, validFor } }) => ({
    keyid: keyId,
    key: rawBytes,
    expires: validFor.end ?? null,
  }));
}
