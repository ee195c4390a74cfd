import { compareGoVersions } from './go-version.ts';
import type { Affected, Event } from './schema.ts';

type Ranges = Affected['ranges'];

/**
 * Whether a version lies in one of the ranges, as govulncheck reads them: left-closed, right-open; none at all, or none of type
 * SEMVER, means every version.
 */
export function isAffected(ranges: Ranges, version: string): boolean {
  const known = ranges.filter(isSemver);
  return known.length === 0 || known.some(({ events }) => isIn(events, version));
}

/**
 * The earliest version above this one that is affected by none of the ranges. An upgrade to a fix that a later range undoes would
 * not help.
 * @returns undefined when there is no fix
 */
export function findFix(ranges: Ranges, version: string): string | undefined {
  const known = ranges.filter(isSemver);
  return known
    .flatMap(({ events }) => events.flatMap((event) => ('fixed' in event ? [event.fixed] : [])))
    .filter((fixed) => compareGoVersions(fixed, version) > 0)
    .sort(compareGoVersions)
    .find((fixed) => !known.some(({ events }) => isIn(events, fixed)));
}

/** Events in any order: sorted, then walked from the beginning of time (osv-schema, "Evaluation"). */
function isIn(events: readonly Event[], version: string): boolean {
  if (events.length === 0) return true;
  let isAffectedHere = false;
  for (const event of [...events].sort(byVersion)) {
    if ('introduced' in event) {
      isAffectedHere ||= event.introduced === '0' || compareGoVersions(version, event.introduced) >= 0;
    } else if ('fixed' in event) {
      isAffectedHere &&= compareGoVersions(version, event.fixed) < 0;
    } else if ('last_affected' in event) {
      isAffectedHere &&= compareGoVersions(version, event.last_affected) <= 0;
    }
  }
  return isAffectedHere;
}

/** `0` is before every version, prereleases of 0.0.0 too. */
function byVersion(left: Event, right: Event): number {
  const [a, b] = [versionOf(left), versionOf(right)];
  if (a === '0' || b === '0') return Number(b === '0') - Number(a === '0');
  return compareGoVersions(a, b);
}

function versionOf(event: Event): string {
  if ('introduced' in event) return event.introduced;
  if ('fixed' in event) return event.fixed;
  return 'last_affected' in event ? event.last_affected : '0';
}

function isSemver(range: Ranges[number]): range is Extract<Ranges[number], { events: unknown }> {
  return 'events' in range;
}
