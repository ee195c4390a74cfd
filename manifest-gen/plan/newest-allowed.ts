import { satisfies } from 'semver';
import { readDuration } from '../../formats/duration.ts';
import type { UpstreamVersion } from '../release.ts';
import type { Tool } from '../tool-file/tools.ts';

/**
 * The versions that may be taken without being named, newest first: in the tool's range, and old enough (contract section 1). A
 * version without a date in the list stays in; `isOldEnough` decides once its source was asked.
 */
export function allowedVersions(
  versions: readonly UpstreamVersion[],
  tool: Pick<Tool, 'versions' | 'minAge'>,
  now: Date,
): readonly string[] {
  return versions
    .filter(({ version }) => tool.versions === undefined || satisfies(version, tool.versions))
    .filter(({ published }) => published === undefined || isOldEnough(published, tool, now))
    .map(({ version }) => version);
}

/** If an age is required, a release of unknown date is not taken: it may be a minute old. */
export function isOldEnough(
  published: Date | undefined,
  { minAge }: Pick<Tool, 'minAge'>,
  now: Date,
): boolean {
  if (minAge === undefined) return true;
  const minAgeMs = readDuration(minAge) ?? 0;
  return published !== undefined && now.getTime() - published.getTime() >= minAgeMs;
}
