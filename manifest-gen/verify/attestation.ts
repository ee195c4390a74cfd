import type { Asset, Fetched, Verdict } from '../release.ts';
import { forgeOf } from '../tool-file/source-facts.ts';
import { verdictOnBuild } from './keyless/attested-build.ts';
import { readBundleList } from './keyless/read-bundle.ts';
import { claimedType } from './keyless/statement.ts';
import { attestationsName } from './sidecar-name.ts';

/**
 * GitHub's own statement that a release is immutable. Its certificates come from a GitHub authority that is in no public root,
 * and it says nothing about the build: ignored. (Seen at goreleaser 2.18.0, beside the build's.)
 */
const releaseTypes = /^https:\/\/in-toto\.io\/attestation\/release\//;

const forge = {
  what: 'Attestation by the forge',
  nothing: 'The forge has no attestation of how the file was built.',
  otherwise: 'What the forge attests of the file is not how it was built.',
};

/** Does the workflow that the tool's file trusts attest that it built this file? */
export function checkAttestations(fetched: Fetched): readonly Promise<Verdict>[] {
  const { found, assets } = fetched;
  const isAsked = forgeOf(found.tool, found.kind)?.attestations === true;
  return isAsked ? assets.map((asset) => check(fetched, asset)) : [];
}

function check({ found, sidecars }: Fetched, { name: subject, digest }: Asset): Promise<Verdict> {
  const about = { kind: 'attestation', subject } as const;
  const texts = readBundleList(sidecars, attestationsName(subject));
  const statements = texts?.filter((text) => !releaseTypes.test(claimedType(text) ?? ''));
  return verdictOnBuild(about, statements, { algorithm: 'sha256', hex: digest.sha256 }, found, forge);
}
