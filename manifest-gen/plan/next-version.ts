import type { ReleaseRecord } from '../../formats/release-record.ts';
import type { Change, Reason } from './reason.ts';
import { nextRelease, printReleaseVersion, versionHistory } from './release-version.ts';
import { findChange, type Offered } from './same-files.ts';

/** What a release would be made from: the same files by the same packaging give equal bytes, so the second is not released. */
export type Recipe = { readonly found: Offered; readonly packaging: string };

export type NextVersion =
  | { readonly kind: 'new'; readonly version: string; readonly reason: Reason }
  /** The newest of the family already is this recipe's. */
  | { readonly kind: 'same'; readonly version: string };

/** The published version whose record decides about the next one; undefined when upstream's version is new here. */
export function newestOfFamily(upstream: string, published: readonly string[]): string | undefined {
  return versionHistory(published).find((release) => release.upstream === upstream)?.version;
}

/**
 * Which version upstream's U gets now (contract section 6). A changed recipe makes another beta; once U itself is published, a
 * beta of its next correction, since a published version is never replaced.
 * @param published every version of the package on the feed, unlisted ones too: their numbers are used up
 * @param newest the record of `newestOfFamily(upstream, published)`
 * @param taken further numbers that are used up: of rollouts, which the feed's lists do not show
 * @param isCorrected somebody says that the reason for a withdrawal is fixed
 */
export function decideNextVersion(
  upstream: string,
  published: readonly string[],
  newest: ReleaseRecord | undefined,
  recipe: Recipe,
  isCorrected = false,
  taken: readonly string[] = [],
): NextVersion {
  const release = versionHistory(published).find((one) => one.upstream === upstream);
  if (release === undefined) {
    return {
      kind: 'new',
      version: printReleaseVersion({ upstream, correction: 0, beta: 1 }),
      reason: { code: 'new' },
    };
  }
  const change = findChangeSince(newest, upstream, recipe, isCorrected);
  if (change === undefined) return { kind: 'same', version: release.version };

  const reason: Reason = { code: 'changed', version: release.version, change };
  const head = versionHistory([release.version, ...taken])[0] ?? release;
  return { kind: 'new', version: printReleaseVersion(nextRelease(head)), reason };
}

function findChangeSince(
  record: ReleaseRecord | undefined,
  upstream: string,
  recipe: Recipe,
  isCorrected: boolean,
): Change | undefined {
  if (record === undefined) return { code: 'no-record' };
  // A withdrawal published older bytes over U; making U again would undo it (contract section 1, withdraw).
  if (record.source.version !== upstream) {
    return isCorrected ? { code: 'bytes-of', version: record.source.version } : undefined;
  }
  return (
    findChange(record, recipe.found) ??
    (record.packaging === recipe.packaging ? undefined : { code: 'recipe' })
  );
}
