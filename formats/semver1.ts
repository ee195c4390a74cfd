import { parseNuGetRange, rangeNeedsSemVer2 } from './nuget-range.ts';
import { isSemVer1Readable, parseNuGetVersion } from './nuget-version.ts';
import type { Nuspec } from './nuspec.ts';

/**
 * Whether choco 0.10 and 1.x can read the package: its own version, and every range that it depends on (spec nuget-v2 12.2,
 * 12.3). A single unreadable package would break a whole page for them, so they do not see it.
 */
export function isReadableBySemVer1({ version, dependencies }: Nuspec): boolean {
  const parsed = parseNuGetVersion(version);
  const ranges = dependencies.map(({ range }) => parseNuGetRange(range ?? ''));
  return (
    parsed !== undefined &&
    isSemVer1Readable(parsed) &&
    !ranges.some((range) => range && rangeNeedsSemVer2(range))
  );
}
