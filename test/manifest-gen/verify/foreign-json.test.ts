import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Asset, Verdict } from '../../../manifest-gen/release.ts';
import { checkAttestations } from '../../../manifest-gen/verify/attestation.ts';
import { checkProvenance } from '../../../manifest-gen/verify/provenance.ts';
import { changedJson } from '../../kit/changed-json.ts';
import { makeAsset, makeFetched, makeFound, makeTool } from '../../kit/release-values.ts';
import { startSigstore } from '../../kit/sigstore.ts';

/** What forges and registries say of a file, and what a bundle's signer says they said: whatever it is, there is a verdict. */
const identity = 'https://github.com/example/gadget/.github/workflows/release.yml@refs/tags/v1.2.3';
const issuer = 'https://token.actions.githubusercontent.com';
const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const key = publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
const signed = {
  spec: 'gadget@1.2.3',
  published: '2026-01-01T00:00:00Z',
  signatures: [{ keyid: 'SHA256:x', sig: 'AAAA' }],
  keys: [{ keyid: 'SHA256:x', key, expires: null }],
};
const tooDeep = '['.repeat(20_000) + ']'.repeat(20_000);

let asset: Asset;
let attested: readonly object[];
let trust: object;
beforeAll(async () => {
  const sigstore = await startSigstore();
  const trustedRoot = join(await mkdtemp(join(tmpdir(), 'root-')), 'root.json');
  await writeFile(trustedRoot, sigstore.root);
  trust = { require: [], sigstore: { identity, issuer, trustedRoot } };
  asset = await makeAsset(Buffer.from('bytes'));
  const { sha256, sha512 } = asset.digest;
  const subject = [{ name: 'pkg:npm/gadget@1.2.3', digest: { sha256, sha512 } }];
  attested = [await sigstore.attest({ subject }, { identity })];
});

type Files = Readonly<Record<'attestations' | 'signatures', string>>;

/** One verdict of the forge, two of the registry: of its signature, of what it attests. */
async function verdictsOn(files: Partial<Files>): Promise<readonly (readonly Verdict[])[]> {
  const sources = [
    { kind: 'github', repository: 'a/b', assets: { amd64: asset.name }, attestations: true },
    { kind: 'npm', packages: { amd64: 'gadget' }, member: 'package/bin/gdg.exe' },
  ];
  const tool = makeTool({ sources, trust } as never);
  const sidecars = Object.entries(files).map(([what, text]) => ({
    name: `${asset.name}.${what}.json`,
    text,
  }));
  const given = (kind: 'github' | 'npm') =>
    makeFetched([asset], { found: makeFound({ tool, kind }), sidecars });
  return Promise.all([
    Promise.all(checkAttestations(given('github'))),
    Promise.all(checkProvenance(given('npm'))),
  ]);
}

describe('evidence in foreign JSON', () => {
  it('passes unchanged', async () => {
    expect(await verdictsOn({ attestations: JSON.stringify(attested) })).toMatchObject([
      [{ verdict: 'passed' }],
      [{ verdict: 'absent' }, { verdict: 'passed' }],
    ]);
  });

  it.each([
    ['no JSON', '<!DOCTYPE html>'],
    ['no list', '{}'],
    ['null', 'null'],
    ['a list of brackets that never ends', `[${tooDeep}]`],
  ])('fails where the attestations are %s', async (_, attestations) => {
    const failed = { verdict: 'failed', expected: 'a list of Sigstore bundles', found: 'something else' };
    expect(await verdictsOn({ attestations })).toMatchObject([[failed], [{ verdict: 'absent' }, failed]]);
  });

  it.each([
    ['no JSON', '<!DOCTYPE html>'],
    ['a list', '[]'],
    ['without keys', JSON.stringify({ ...signed, keys: undefined })],
    ['with a key that is null', JSON.stringify({ ...signed, keys: [null] })],
    ['with a number as signature', JSON.stringify({ ...signed, signatures: [1] })],
  ])('fails where the signatures of a registry are %s', async (_, signatures) => {
    const [, [registry] = []] = await verdictsOn({ signatures });
    expect(registry).toMatchObject({ verdict: 'failed', found: 'it cannot be read' });
  });

  it('gives a verdict whatever it is', async () => {
    const files = fc.record({ attestations: changedJson(attested), signatures: changedJson(signed) });
    await fc.assert(
      fc.asyncProperty(files, async (given) => {
        const verdicts = (await verdictsOn(given)).flat().map(({ verdict }) => verdict);
        expect(verdicts).toHaveLength(3);
        expect(verdicts).not.toContain(undefined);
      }),
      { numRuns: 100 },
    );
  });
});
