import { satisfies } from 'semver';
import { readDuration } from '../../formats/duration.ts';
import type { UpstreamVersion } from '../release.ts';
import type { Tool } from '../tool-file/tools.ts';

/**
 * The versions that may be taken without being named, newest first: in the tool's range, and old enough (contract section 1).
 * One whose date the list does not say stays in; `isOldEnough` judges it when its source has been asked.
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

/** Where an age is demanded, a release whose date nobody knows is not taken: it may be a minute old. */
export function isOldEnough(
  published: Date | undefined,
  { minAge }: Pick<Tool, 'minAge'>,
  now: Date,
): boolean {
  if (minAge === undefined) return true;
  const minAgeMs = readDuration(minAge) ?? 0;
  return published !== undefined && now.getTime() - published.getTime() >= minAgeMs;
}
