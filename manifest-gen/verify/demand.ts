import type { EvidenceKind } from '../../formats/release-record.ts';
import type { Fetched } from '../release.ts';
import { requiredEvidence } from '../tool-file/trust.ts';
import { attestationsName } from './sidecar-name.ts';

/**
 * The kinds of evidence that must have passed for the downloaded files: those that the tool's file demands of every release, and
 * npm's provenance where the file demands it of versions whose metadata names attestations.
 */
export function demandOn({ found, assets, sidecars }: Fetched): readonly EvidenceKind[] {
  const { tool, kind, version } = found;
  const always = requiredEvidence(tool, kind, version);
  const names = new Set(sidecars.map(({ name }) => name));
  const isAttested = kind === 'npm' && assets.some(({ name }) => names.has(attestationsName(name)));
  const isDemanded = isAttested && tool.trust.provenance === 'where-attested';
  return isDemanded && !always.includes('provenance') ? [...always, 'provenance'] : always;
}
