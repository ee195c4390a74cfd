import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Fetched, Sidecar, Verdict } from '../../../manifest-gen/release.ts';
import { checkSigstore } from '../../../manifest-gen/verify/sigstore.ts';
import { makeFetched, makeFound, makeTool } from '../../kit/release-values.ts';
import { type Sigstore, startSigstore } from '../../kit/sigstore.ts';
import { failureOf } from '../../kit/upstream-fixture.ts';

const workflow = 'https://github.com/example/gadget/.github/workflows/release.yml@refs/tags';
const identity = `${workflow}/v1.2.3`;
const checksums = `${'a'.repeat(64)}  gadget_1.2.3_amd64.exe\n`;

let sigstore: Sigstore;
let root: string;
beforeAll(async () => {
  sigstore = await startSigstore();
  root = await keep(sigstore.root);
});

async function keep(text: string): Promise<string> {
  const file = join(await mkdtemp(join(tmpdir(), 'root-')), 'trusted-root.json');
  await writeFile(file, text);
  return file;
}

function release(sidecars: Readonly<Record<string, string>>, signer: object | undefined = {}): Fetched {
  const sigstoreFiles = {
    bundle: 'checksums.txt.sigstore.json',
    detached: { signature: 'checksums.txt.sig', certificate: 'checksums.txt.pem' },
  };
  const { sources } = makeTool();
  const [forge] = sources;
  const tool = makeTool({
    sources: [{ ...forge!, sigstore: sigstoreFiles } as never],
    trust: {
      require: [],
      ...(signer && {
        sigstore: {
          identity: `${workflow}/{tag}`,
          issuer: 'https://token.actions.githubusercontent.com',
          trustedRoot: root,
          ...signer,
        },
      }),
    },
  });
  const files: readonly Sidecar[] = Object.entries({ '': checksums, ...sidecars }).map(([suffix, text]) => ({
    name: `checksums.txt${suffix}`,
    text,
  }));
  return makeFetched([], { found: makeFound({ tool }), sidecars: files });
}

async function verdictOn(...given: Parameters<typeof release>): Promise<Verdict> {
  const [verdict, ...more] = await Promise.all(checkSigstore(release(...given)));
  expect(more).toEqual([]);
  return verdict!;
}

describe('a keyless bundle', () => {
  it('passes when the workflow of the tag signed the checksum file', async () => {
    const verdict = await verdictOn({ '.sigstore.json': await sigstore.signFile(checksums, { identity }) });

    expect(verdict).toEqual({
      kind: 'sigstore',
      verdict: 'passed',
      subject: 'checksums.txt',
      detail: `checksums.txt.sigstore.json is by ${identity}.`,
    });
  });

  it.each([
    ['of another tag', `${workflow}/v1.2.30`],
    ['that goes on after the right one', `${identity}-evil`],
    ['that has the right one in its middle', `https://evil.example/?x=${identity}&y`],
    ['that differs where a dot would be any letter', identity.replace('github.com', 'githubXcom')],
  ])('fails by an identity %s', async (_, other) => {
    const bundle = await sigstore.signFile(checksums, { identity: other });

    expect(await verdictOn({ '.sigstore.json': bundle })).toMatchObject({
      verdict: 'failed',
      expected: `a signature by ${identity} (https://token.actions.githubusercontent.com)`,
      found: `it is signed by ${other}`,
    });
  });

  it('fails when another issuer attests the identity', async () => {
    const bundle = await sigstore.signFile(checksums, { identity, issuer: 'https://accounts.example' });

    expect(await verdictOn({ '.sigstore.json': bundle })).toMatchObject({
      verdict: 'failed',
      found: 'it is vouched for by https://accounts.example',
    });
  });

  it('fails when it leads to another root, and to none of the public good instance', async () => {
    const bundle = { '.sigstore.json': await (await startSigstore()).signFile(checksums, { identity }) };

    const problem = 'the certificate does not lead to the trusted root';
    expect(await verdictOn(bundle)).toMatchObject({ verdict: 'failed', found: problem });
    expect(await verdictOn(bundle, { trustedRoot: undefined })).toMatchObject({
      verdict: 'failed',
      found: problem,
    });
  });

  it('fails when it is of another file', async () => {
    const bundle = await sigstore.signFile(`${checksums}more\n`, { identity });

    expect(await verdictOn({ '.sigstore.json': bundle })).toMatchObject({
      verdict: 'failed',
      found: 'the signature is not of these bytes',
    });
  });

  it('fails when the log entry belongs to another signature, or is missing', async () => {
    const [one, other] = await Promise.all(
      [1, 2].map(async () => JSON.parse(await sigstore.signFile(checksums, { identity })) as AnyBundle),
    );
    one!.verificationMaterial.tlogEntries = other!.verificationMaterial.tlogEntries;
    const without = { ...other!, verificationMaterial: { ...other!.verificationMaterial, tlogEntries: [] } };

    expect(await verdictOn({ '.sigstore.json': JSON.stringify(one) })).toMatchObject({
      found: 'the log entry is of another signature',
    });
    expect(await verdictOn({ '.sigstore.json': JSON.stringify(without) })).toMatchObject({
      found: 'nothing that is trusted says when it was made',
    });
  });

  it.each<[string, (bundle: AnyBundle) => readonly [object, string]]>([
    ['the signature', ({ messageSignature }) => [messageSignature, 'signature']],
    ['the digest', ({ messageSignature }) => [messageSignature.messageDigest, 'digest']],
    ['the certificate', ({ verificationMaterial }) => [verificationMaterial.certificate, 'rawBytes']],
    ["the log's promise", (bundle) => [entryOf(bundle).inclusionPromise, 'signedEntryTimestamp']],
    ["the log entry's body", (bundle) => [entryOf(bundle), 'canonicalizedBody']],
    ["the log's id", (bundle) => [entryOf(bundle).logId, 'keyId']],
  ])('never passes with a flipped bit in %s', async (_, place) => {
    const text = await sigstore.signFile(checksums, { identity });
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (at) => {
        const bundle = JSON.parse(text) as AnyBundle;
        const [object, key] = place(bundle) as [Record<string, string>, string];
        object[key] = flipped(Buffer.from(object[key]!, 'base64'), at).toString('base64');
        expect(await verdictOn({ '.sigstore.json': JSON.stringify(bundle) })).toMatchObject({
          verdict: 'failed',
        });
      }),
      { numRuns: 25 },
    );
  });

  it("never passes with a changed letter in the log's signed head, or at another position in the log", async () => {
    const text = await sigstore.signFile(checksums, { identity });
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (at) => {
        const bundle = JSON.parse(text) as AnyBundle;
        const { checkpoint } = entryOf(bundle).inclusionProof;
        const { envelope } = checkpoint;
        // the name beside the signature, the last LF and base64's spare bits say nothing
        const signed = envelope.indexOf('\n\n') + 1;
        const place = at % signed;
        checkpoint.envelope = `${envelope.slice(0, place)}${envelope[place] === 'x' ? 'y' : 'x'}${envelope.slice(place + 1)}`;
        expect(await verdictOn({ '.sigstore.json': JSON.stringify(bundle) })).toMatchObject({
          verdict: 'failed',
        });
      }),
      { numRuns: 25 },
    );
    const moved = JSON.parse(text) as AnyBundle;
    entryOf(moved).inclusionProof.logIndex = '1';
    expect(await verdictOn({ '.sigstore.json': JSON.stringify(moved) })).toMatchObject({ verdict: 'failed' });
  });

  it.each<[string, string, string]>([
    ['nothing', '', 'it is not JSON'],
    ['a page', '<!DOCTYPE html>', 'it is not JSON'],
    ['another document', '{}', 'it is not a Sigstore bundle'],
    ['null', 'null', 'it is not a Sigstore bundle'],
    ['100,000 brackets', '['.repeat(100_000) + ']'.repeat(100_000), 'it nests deeper than 32'],
    ['more than a mebibyte', `"${'x'.repeat(1024 * 1024)}"`, 'it has more than 1048576 bytes'],
  ])('that is %s fails', async (_, text, found) => {
    expect(await verdictOn({ '.sigstore.json': text })).toMatchObject({ verdict: 'failed', found });
  });

  it.each<[string, (bundle: AnyBundle) => void, string]>([
    [
      'a pattern that never ends in the log name',
      (bundle) => {
        const { checkpoint } = entryOf(bundle).inclusionProof;
        checkpoint.envelope = checkpoint.envelope.replace(/\u2014 \S+/, '\u2014 (([a-z:/.]+)+)+\\d$');
      },
      'the proof of its log entry is none',
    ],
    [
      'a size of 100,000 digits',
      (bundle) => {
        const { checkpoint } = entryOf(bundle).inclusionProof;
        checkpoint.envelope = checkpoint.envelope.replace('\n1\n', `\n${'1'.repeat(100_000)}\n`);
      },
      'the proof of its log entry is none',
    ],
    [
      'nine log entries',
      (bundle) => {
        bundle.verificationMaterial.tlogEntries = Array.from({ length: 9 }, () => entryOf(bundle));
      },
      'it has more than 8 log entries',
    ],
    [
      'a certificate that nests 5,000 deep',
      (bundle) => {
        bundle.verificationMaterial.certificate.rawBytes = nestedDer(5_000).toString('base64');
      },
      'its certificate is none',
    ],
    [
      'a certificate of 20 KB',
      (bundle) => {
        bundle.verificationMaterial.certificate.rawBytes = Buffer.alloc(20_000, 0x30).toString('base64');
      },
      'its certificate has more than 16384 bytes',
    ],
  ])('with %s fails at once', async (_, change, found) => {
    const bundle = JSON.parse(await sigstore.signFile(checksums, { identity })) as AnyBundle;
    change(bundle);

    expect(await verdictOn({ '.sigstore.json': JSON.stringify(bundle) })).toMatchObject({
      verdict: 'failed',
      found,
    });
  });

  it('that is a statement fails: it signs no file', async () => {
    const bundle = await sigstore.attest({ subject: [{ digest: { sha256: 'a' } }] }, { identity });

    expect(await verdictOn({ '.sigstore.json': JSON.stringify(bundle) })).toMatchObject({
      found: 'it is a statement, not a signature of the file',
    });
  });
});

describe("a bundle in cosign's old form", () => {
  const sign = async (...given: Parameters<Sigstore['signFileAsCosign2']>): Promise<CosignBundle> =>
    JSON.parse(await sigstore.signFileAsCosign2(...given)) as CosignBundle;
  const verdictOf = (bundle: object): Promise<Verdict> =>
    verdictOn({ '.sigstore.json': JSON.stringify(bundle) });

  it('passes when the workflow of the tag signed the checksum file, with a certificate in either spelling', async () => {
    const bundle = await sign(checksums, { identity });
    const plain = { ...bundle, cert: Buffer.from(bundle.cert, 'base64').toString() };

    for (const one of [bundle, plain]) {
      expect(await verdictOf(one)).toMatchObject({
        verdict: 'passed',
        detail: `checksums.txt.sigstore.json is by ${identity}.`,
      });
    }
  });

  it.each<[string, () => Promise<object>, string]>([
    [
      'by another workflow',
      () => sign(checksums, { identity: `${identity}-evil` }),
      `it is signed by ${identity}-evil`,
    ],
    // the log is asked first: it has the hash, which the bundle itself does not tell
    ['of another file', () => sign('other', { identity }), 'the log entry is of another signature'],
    [
      'of another root',
      async () =>
        JSON.parse(await (await startSigstore()).signFileAsCosign2(checksums, { identity })) as object,
      'the certificate does not lead to the trusted root',
    ],
    [
      'with the log entry of another signature',
      async () => {
        // the entry last: at its time the certificate has to be valid
        const signed = await sign(checksums, { identity });
        const { rekorBundle } = await sign(checksums, { identity });
        return { ...signed, rekorBundle };
      },
      'the log entry is of another signature',
    ],
    [
      'with no log entry',
      async () => ({ ...(await sign(checksums, { identity })), rekorBundle: null }),
      'nothing that is trusted says when it was made',
    ],
    [
      'with a key',
      async () => ({ ...(await sign(checksums, { identity })), cert: undefined }),
      'it is signed with a key, not keyless',
    ],
    [
      'with a key in place of the certificate',
      async () => {
        const cert = Buffer.from('-----BEGIN PUBLIC KEY-----\nAAAA\n').toString('base64');
        return { ...(await sign(checksums, { identity })), cert };
      },
      'it is signed with a key, not keyless',
    ],
    ['of no content', async () => ({ base64Signature: 1 }), 'it is not a bundle of cosign'],
    [
      'with a time that is no whole number',
      async () => changed(await sign(checksums, { identity }), { integratedTime: 1e300 }),
      'it is not a bundle of cosign',
    ],
    [
      'with an index below zero',
      async () => changed(await sign(checksums, { identity }), { logIndex: -1 }),
      'it is not a bundle of cosign',
    ],
    [
      'with a log entry of 100 KB',
      async () => changed(await sign(checksums, { identity }), { body: 'A'.repeat(100_000) }),
      'it has more than 65536 bytes',
    ],
    [
      'with a log entry that is none',
      async () => changed(await sign(checksums, { identity }), { body: 'AAAA' }),
      'it cannot be read',
    ],
    [
      'with a certificate that nests 5,000 deep',
      async () => ({ ...(await sign(checksums, { identity })), cert: pemOf(nestedDer(5_000)) }),
      'its certificate is none',
    ],
  ])('fails %s', async (_, bundle, found) => {
    expect(await verdictOf(await bundle())).toMatchObject({ verdict: 'failed', found });
  });

  it.each<[string, (bundle: CosignBundle, at: number) => object]>([
    ['the signature', (bundle, at) => ({ ...bundle, base64Signature: bent(bundle.base64Signature, at) })],
    ['the certificate', (bundle, at) => ({ ...bundle, cert: pemOf(flipped(derOf(bundle.cert), at)) })],
    [
      "the log's promise",
      (bundle, at) => {
        const SignedEntryTimestamp = bent(bundle.rekorBundle.SignedEntryTimestamp, at);
        return { ...bundle, rekorBundle: { ...bundle.rekorBundle, SignedEntryTimestamp } };
      },
    ],
    [
      "the log entry's body",
      (bundle, at) => changed(bundle, { body: bent(bundle.rekorBundle.Payload.body, at) }),
    ],
    [
      "the log's id",
      (bundle, at) =>
        changed(bundle, {
          logID: flipped(Buffer.from(bundle.rekorBundle.Payload.logID, 'hex'), at).toString('hex'),
        }),
    ],
    [
      'the time',
      (bundle, at) =>
        changed(bundle, { integratedTime: bundle.rekorBundle.Payload.integratedTime ^ (1 << (at % 30)) }),
    ],
    [
      'the place in the log',
      (bundle, at) => changed(bundle, { logIndex: bundle.rekorBundle.Payload.logIndex ^ (1 << (at % 30)) }),
    ],
  ])('never passes with a flipped bit in %s', async (_, bend) => {
    const good = await sign(checksums, { identity });
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (at) => {
        expect(await verdictOf(bend(good, at))).toMatchObject({ verdict: 'failed' });
      }),
      { numRuns: 25 },
    );
  });

  const bent = (text: string, at: number): string =>
    flipped(Buffer.from(text, 'base64'), at).toString('base64');
});

describe('a signature and its certificate without a log entry', () => {
  it('are absent evidence when they verify', async () => {
    const { signature, certificate } = await sigstore.signDetached(checksums, { identity });
    const plain = Buffer.from(certificate, 'base64').toString();

    for (const pem of [certificate, `${certificate}\n`, plain]) {
      expect(await verdictOn({ '.sig': `${signature}\n`, '.pem': pem })).toEqual({
        kind: 'sigstore',
        verdict: 'absent',
        subject: 'checksums.txt',
        detail: `checksums.txt.sig verifies, by ${identity}, but no log entry says when it was made.`,
      });
    }
  });

  it.each<[string, () => Promise<Record<string, string>>, string]>([
    [
      'of another file',
      async () => pair(await sigstore.signDetached('other', { identity })),
      'the signature is not of these bytes',
    ],
    [
      'by another workflow',
      async () => pair(await sigstore.signDetached(checksums, { identity: `${identity}-evil` })),
      `it is signed by ${identity}-evil`,
    ],
    [
      'by another issuer',
      async () => pair(await sigstore.signDetached(checksums, { identity, issuer: 'https://i.example' })),
      'it is vouched for by https://i.example',
    ],
    [
      'of another root',
      async () => pair(await (await startSigstore()).signDetached(checksums, { identity })),
      'the certificate does not lead to the trusted root',
    ],
    [
      'of two signings mixed',
      async () => ({
        '.sig': (await sigstore.signDetached(checksums, { identity })).signature,
        '.pem': (await sigstore.signDetached(checksums, { identity })).certificate,
      }),
      'the signature is not of these bytes',
    ],
    [
      'without the certificate',
      async () => ({ '.sig': (await sigstore.signDetached(checksums, { identity })).signature }),
      'there is no certificate beside it',
    ],
    [
      'without the signature',
      async () => ({ '.pem': (await sigstore.signDetached(checksums, { identity })).certificate }),
      'there is a certificate without a signature',
    ],
    ['that are none', async () => ({ '.sig': 'AAAA', '.pem': 'AAAA' }), 'the certificate is not in PEM form'],
    ['that are pages', async () => ({ '.sig': '<html>', '.pem': '<html>' }), 'it is not in base64'],
  ])('%s fail', async (_, files, found) => {
    expect(await verdictOn(await files())).toMatchObject({ verdict: 'failed', found });
  });

  it.each(['signature', 'certificate'] as const)(
    'never verify with a flipped bit in the %s',
    async (which) => {
      const good = await sigstore.signDetached(checksums, { identity });
      const der = derOf(good.certificate);
      await fc.assert(
        fc.asyncProperty(fc.nat(), async (at) => {
          const files =
            which === 'signature'
              ? { ...good, signature: flipped(Buffer.from(good.signature, 'base64'), at).toString('base64') }
              : {
                  ...good,
                  certificate: pemOf(flipped(der, at)),
                };
          expect(await verdictOn(pair(files))).toMatchObject({ verdict: 'failed' });
        }),
        { numRuns: 40 },
      );
    },
  );

  it.each([
    ['the outermost tag', 0],
    ['the unused bits of the signature', -72 * 8],
  ])('never verify with a flipped bit in a part that nobody signed: %s', async (_, from) => {
    const { signature, certificate } = await sigstore.signDetached(checksums, { identity });
    const der = derOf(certificate);
    for (let bit = 0; bit < 64; bit += 1) {
      const at = (from < 0 ? der.length * 8 + from : from) + bit;
      expect(await verdictOn(pair({ signature, certificate: pemOf(flipped(der, at)) }))).toMatchObject({
        verdict: 'failed',
      });
    }
  });

  it('fail beside a good bundle too, and say nothing beside it when they verify', async () => {
    const bundle = { '.sigstore.json': await sigstore.signFile(checksums, { identity }) };

    expect(
      await verdictOn({ ...bundle, ...pair(await sigstore.signDetached('other', { identity })) }),
    ).toMatchObject({
      verdict: 'failed',
    });
    expect(
      await verdictOn({ ...bundle, ...pair(await sigstore.signDetached(checksums, { identity })) }),
    ).toMatchObject({
      verdict: 'passed',
    });
  });
});

describe('keyless evidence', () => {
  it('is absent when upstream has none, or nobody is trusted', async () => {
    const bundle = { '.sigstore.json': await sigstore.signFile(checksums, { identity }) };

    expect(await verdictOn({})).toMatchObject({
      verdict: 'absent',
      detail: 'There is no keyless signature beside it.',
    });
    const untrusting = release(bundle);
    const tool = { ...untrusting.found.tool, trust: { require: [] } };
    const [verdict] = await Promise.all(
      checkSigstore({ ...untrusting, found: { ...untrusting.found, tool } }),
    );
    expect(verdict).toMatchObject({
      verdict: 'absent',
      detail: expect.stringContaining('The tool names no identity to trust.'),
    });
  });

  it('is not mentioned where the tool names no signature', () => {
    expect(checkSigstore(makeFetched([]))).toEqual([]);
  });

  it.each([
    ['is not there', undefined, 'cannot be read'],
    ['is no JSON', 'root', 'no trusted root'],
    ['names no authority', '{"certificateAuthorities": []}', 'names no certificate authority'],
  ])('stops at a trusted root that %s, exit code 2', async (_, text, sentence) => {
    const file = text === undefined ? '/nowhere/root.json' : await keep(text);
    const bundle = { '.sigstore.json': await sigstore.signFile(checksums, { identity }) };

    expect(await failureOf(verdictOn(bundle, { trustedRoot: file }))).toMatchObject({
      exitCode: 2,
      message: expect.stringContaining(sentence),
    });
  });
});

type AnyBundle = {
  messageSignature: { signature: string; messageDigest: { digest: string } };
  verificationMaterial: {
    certificate: { rawBytes: string };
    tlogEntries: {
      logId: { keyId: string };
      canonicalizedBody: string;
      inclusionPromise: { signedEntryTimestamp: string };
      inclusionProof: { logIndex: string; checkpoint: { envelope: string } };
    }[];
  };
};

function entryOf({ verificationMaterial }: AnyBundle) {
  return verificationMaterial.tlogEntries[0]!;
}

type CosignBundle = {
  base64Signature: string;
  cert: string;
  rekorBundle: {
    SignedEntryTimestamp: string;
    Payload: { body: string; integratedTime: number; logIndex: number; logID: string };
  };
};

/** With something else in its log entry. */
function changed(
  bundle: CosignBundle,
  change: Partial<CosignBundle['rekorBundle']['Payload']>,
): CosignBundle {
  const { rekorBundle } = bundle;
  return { ...bundle, rekorBundle: { ...rekorBundle, Payload: { ...rekorBundle.Payload, ...change } } };
}

function pair({
  signature,
  certificate,
}: {
  signature: string;
  certificate: string;
}): Record<string, string> {
  return { '.sig': signature, '.pem': certificate };
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  const bit = at % (bytes.length * 8);
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}

function derOf(certificate: string): Buffer {
  const pem = Buffer.from(certificate, 'base64').toString();
  return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
}

function pemOf(der: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
}

/** SEQUENCE in SEQUENCE in SEQUENCE. */
function nestedDer(levels: number): Buffer {
  const heads: Buffer[] = [];
  for (let bytes = 0; heads.length < levels; bytes += heads[0]!.length) {
    heads.unshift(
      bytes < 0x80 ? Buffer.from([0x30, bytes]) : Buffer.from([0x30, 0x82, bytes >> 8, bytes & 0xff]),
    );
    if (bytes > 16_000) break;
  }
  return Buffer.concat(heads);
}
