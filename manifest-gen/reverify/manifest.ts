import type { ReleaseRecord } from '../../formats/release-record.ts';
import { parseScoopManifest, type ScoopManifest } from '../../formats/scoop-manifest.ts';
import { faultOf } from '../published/package.ts';
import { type Check, compare, failed } from './check.ts';

/** The manifest that a branch holds; one that cannot be read is a check that failed. */
export function readManifest(subject: string, text: string): ScoopManifest | Check {
  try {
    return parseScoopManifest(text);
  } catch (error) {
    const reason = faultOf(error);
    if (reason === undefined) throw error;
    return failed({ what: 'manifest', subject }, 'a Scoop manifest', reason);
  }
}

/** Does it have exactly the recorded version, architectures and hashes? */
export function checkManifest(
  subject: string,
  manifest: ScoopManifest,
  version: string,
  { payloads }: ReleaseRecord,
  areOwnFiles: boolean,
): readonly Check[] {
  const about = { what: 'manifest', subject };
  const promised = Object.entries(manifest.architecture ?? {}).map(
    ([name, block]) => `${name} ${block?.hash}`,
  );
  const recorded = payloads.map(
    ({ architecture, sha256 }) => `${architecture === 'amd64' ? '64bit' : architecture} ${sha256}`,
  );
  const offer = compare(about, `version ${version}`, `version ${manifest.version}`, `It offers ${version}.`);
  // hashes of upstream's own files are checked where the whole manifest is rendered again
  if (!areOwnFiles) return [offer];
  return [
    offer,
    compare(
      about,
      recorded.toSorted().join(', '),
      promised.toSorted().join(', '),
      'Its hashes are those of the record.',
    ),
  ];
}
