import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Fetched } from '../../../manifest-gen/release.ts';
import type { Tool } from '../../../manifest-gen/tool-file/tools.ts';
import { checkAttestations } from '../../../manifest-gen/verify/attestation.ts';
import { checksumsOf } from '../../../manifest-gen/verify/checksum-file.ts';
import { judgeStatement } from '../../../manifest-gen/verify/keyless/statement.ts';
import { loadRoot } from '../../../manifest-gen/verify/keyless/trusted-root.ts';
import { loadTools } from '../../kit/load-tools.ts';
import { makeAsset, makeFound } from '../../kit/release-values.ts';
import { type Sigstore, startSigstore } from '../../kit/sigstore.ts';
import { productDir } from '../../kit/test-server.ts';

const recorded = join(productDir, 'test', 'recorded', 'goreleaser-2.18.0');
const ofRelease: unknown = JSON.parse(
  await readFile(join(recorded, 'release-attestation.sigstore.json'), 'utf8'),
);
const name = 'goreleaser_Windows_x86_64.zip';
const [sha256 = ''] = checksumsOf(await readFile(join(recorded, 'checksums.txt'), 'utf8'), name);
const identity = 'https://github.com/goreleaser/goreleaser/.github/workflows/release.yml@refs/tags/v2.18.0';

describe("GitHub's own attestation of the release goreleaser 2.18.0, as its API sends it", () => {
  let sigstore: Sigstore;
  let tool: Tool;
  beforeAll(async () => {
    sigstore = await startSigstore();
    const trustedRoot = join(await mkdtemp(join(tmpdir(), 'root-')), 'root.json');
    await writeFile(trustedRoot, sigstore.root);
    const tools = await loadTools(join(productDir, 'manifest-gen', 'tools'));
    const goreleaser = tools.find((one) => one.tool === 'goreleaser')!;
    const { trust } = goreleaser;
    tool = { ...goreleaser, trust: { ...trust, sigstore: { ...trust.sigstore!, trustedRoot } } };
  });

  /** The file that was released, by its digest: nothing here reads the bytes. */
  async function verdictOn(bundles: readonly unknown[], trust = tool.trust) {
    const asset = await makeAsset(Buffer.from('zip'), { name });
    const released = { ...asset, digest: { ...asset.digest, sha256 } };
    const fetched: Fetched = {
      found: makeFound({ tool: { ...tool, trust }, version: '2.18.0' }),
      assets: [released],
      sidecars: [{ name: `${name}.attestations.json`, text: JSON.stringify(bundles) }],
    };
    const [verdict] = await Promise.all(checkAttestations(fetched));
    return verdict;
  }

  it('is by no authority of the public root, so checking it would refuse the release', async () => {
    const judged = judgeStatement(
      JSON.stringify(ofRelease),
      { algorithm: 'sha256', hex: sha256 },
      await loadRoot(undefined),
    );
    expect(judged).toEqual({
      outcome: 'foreign',
      problem: 'nothing that is trusted says when it was made',
    });
  });

  it('is ignored beside an attestation of the build', async () => {
    const subject = [{ name, digest: { sha256 } }];
    const ofBuild = await sigstore.attest({ subject }, { identity });

    for (const bundles of [
      [ofRelease, ofBuild],
      [ofBuild, ofRelease],
    ]) {
      expect(await verdictOn(bundles)).toMatchObject({
        verdict: 'passed',
        detail: `The build is attested by ${identity}.`,
      });
    }
  });

  it('does not attest the build by itself, whoever is trusted', async () => {
    const expected = { verdict: 'absent', detail: 'The forge has no attestation of how the file was built.' };
    expect(await verdictOn([ofRelease])).toMatchObject(expected);
    expect(await verdictOn([ofRelease], { require: [] })).toMatchObject(expected);
  });
});
