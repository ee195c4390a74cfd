import type { Asset, Fetched, Verdict } from '../release.ts';
import { sourceOf } from '../tool-file/tools.ts';
import { signerOf, verdictOnBuild } from './keyless/policy.ts';
import { readBundleList } from './keyless/read-bundle.ts';
import { claimedType, judgeStatement, provenanceTypes } from './keyless/statement.ts';
import { loadRoot } from './keyless/trusted-root.ts';
import { attestationsName } from './sidecar-name.ts';
import { absent, failed } from './verdict.ts';

/**
 * GitHub's own statement that a release is immutable. Its certificates come from a GitHub authority that is in no public root,
 * and it says nothing about the build: ignored. (Seen at goreleaser 2.18.0, beside the build's.)
 */
const releaseTypes = /^https:\/\/in-toto\.io\/attestation\/release\//;

/** Does the workflow that the tool's file trusts attest that it built this file? */
export function checkAttestations(fetched: Fetched): readonly Promise<Verdict>[] {
  const { found, assets } = fetched;
  const isAsked = found.kind === 'github' && sourceOf(found.tool, 'github')?.attestations === true;
  return isAsked ? assets.map((asset) => check(fetched, asset)) : [];
}

async function check({ found, sidecars }: Fetched, asset: Asset): Promise<Verdict> {
  const about = { kind: 'attestation', subject: asset.name } as const;
  const sidecar = sidecars.find(({ name }) => name === attestationsName(asset.name));
  const bundles = readBundleList(sidecar?.text ?? '[]');
  if (bundles === undefined) {
    const found = 'something else';
    return failed(about, `What attests it is ${found}.`, 'a list of Sigstore bundles', found);
  }
  const statements = bundles
    .map((text) => ({ text, type: claimedType(text) }))
    .filter(({ type }) => !releaseTypes.test(type ?? ''));
  if (statements.length === 0) {
    return absent(about, 'The forge has no attestation of how the file was built.');
  }
  const root = await loadRoot(signerOf(found)?.trustedRoot);
  const subject = { algorithm: 'sha256', hex: asset.digest.sha256 } as const;
  const pieces = statements.map(({ text, type }) => ({
    what: 'Attestation by the forge',
    judged: judgeStatement(text, subject, root),
    isOfBuild: provenanceTypes.includes(type ?? ''),
    // everything must verify; the signer matters only for statements about the build
    isByAnyone: type !== undefined && !provenanceTypes.includes(type),
  }));
  return verdictOnBuild(about, pieces, found, 'What the forge attests of the file is not how it was built.');
}
