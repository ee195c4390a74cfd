import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Signer } from '../../../manifest-gen/tool-file/trust.ts';
import { refusalBy } from '../../../manifest-gen/verify/keyless/policy.ts';
import { judgeBundle } from '../../../manifest-gen/verify/keyless/signature.ts';
import { loadRoot } from '../../../manifest-gen/verify/keyless/trusted-root.ts';
import { loadTools } from '../../kit/load-tools.ts';
import { productDir } from '../../kit/test-server.ts';

const recorded = join(productDir, 'test', 'recorded', 'goreleaser-2.18.0');
const checksums = await readFile(join(recorded, 'checksums.txt'));
const bundle = await readFile(join(recorded, 'checksums.txt.sigstore.json'), 'utf8');
const root = await loadRoot(undefined);

/** The signer that the product's own file names, for a tag. */
async function signerFor(tag: string) {
  const tools = await loadTools(join(productDir, 'manifest-gen', 'tools'));
  const { sigstore } = tools.find(({ tool }) => tool === 'goreleaser')!.trust;
  return { ...sigstore!, identity: sigstore!.identity.replace('{tag}', tag) };
}

function problemOf(text: string, signed: Buffer, signer: Signer): string | undefined {
  const judged = judgeBundle(text, signed, root);
  return refusalBy({ kind: 'sigstore', subject: 'checksums.txt' }, [{ what: 'it', judged }], signer)?.found;
}

describe('the signature of goreleaser 2.18.0, as upstream published it', () => {
  it("is by upstream's own workflow, under the root that the product includes", async () => {
    expect(problemOf(bundle, checksums, await signerFor('v2.18.0'))).toBeUndefined();
  });

  it.each(['v2.18.1', 'v2.18.00', 'v2.18', 'main'])('does not cover the tag %s', async (tag) => {
    expect(problemOf(bundle, checksums, await signerFor(tag))).toContain('v2.18.0');
  });

  it('does not cover a workflow whose run another issuer attests', async () => {
    const signer = {
      ...(await signerFor('v2.18.0')),
      issuer: 'https://token.actions.githubusercontent.com.evil.example',
    };
    expect(problemOf(bundle, checksums, signer)).toBeDefined();
  });

  it('does not cover a checksum file with a changed bit', async () => {
    const signer = await signerFor('v2.18.0');
    fc.assert(
      fc.property(fc.nat(checksums.length - 1), fc.nat(7), (at, bit) => {
        const changed = Buffer.from(checksums);
        changed[at] = changed[at]! ^ (1 << bit);
        expect(problemOf(bundle, changed, signer)).toBeDefined();
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    'rawBytes',
    'signedEntryTimestamp',
    'canonicalizedBody',
    'envelope',
    'signature',
    'signedTimestamp',
  ])('is invalid when a character of its %s differs', async (field) => {
    const [, value = ''] = new RegExp(`"${field}": ?"([^"]+)"`).exec(bundle) ?? [];
    const middle = Math.floor(value.length * 0.7);
    const changed = `${value.slice(0, middle)}${value[middle] === 'A' ? 'B' : 'A'}${value.slice(middle + 1)}`;
    expect(value).not.toBe('');

    const problem = problemOf(
      bundle.replace(value, () => changed),
      checksums,
      await signerFor('v2.18.0'),
    );

    expect(problem).toBeDefined();
  });
});
