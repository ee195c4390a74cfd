import { compareGoVersions } from './go-version.ts';
import type { Composition } from './modules.ts';
import type { Affected, Entry, Event } from './schema.ts';
import { type Severity, severityOf } from './severity.ts';

/** A known vulnerability of a module that the program was built from. */
export type Finding = {
  readonly id: string;
  /** `CVE-2024-23840`, `GHSA-...` */
  readonly aliases: readonly string[];
  readonly module: string;
  /** With v, as Go writes it. */
  readonly found: string;
  /** The earliest version with a fix, with v; undefined when there is none. */
  readonly fixed: string | undefined;
  /** Undefined: the entry has none. */
  readonly severity: Severity | undefined;
  readonly summary: string;
  readonly url: string | undefined;
};

/**
 * Pure. By module and version, not by symbol: a stripped exe does not reveal its functions, so this is an upper bound
 * (govulncheck does the same with such exes). An entry that is about other systems only does not count.
 * @returns sorted by id, then module
 */
export function findVulnerabilities(
  { modules, goos, goarch }: Composition,
  entries: readonly Entry[],
  now: Date,
): readonly Finding[] {
  const findings = entries
    // an invalid date withdraws nothing
    .filter(({ withdrawn }) => !(withdrawn && new Date(withdrawn) <= now))
    .flatMap((entry) =>
      modules.flatMap(({ path, version }) => {
        const affected = entry.affected.filter(
          (one) =>
            one.package.ecosystem === 'Go' &&
            one.package.name === path &&
            isOnPlatform(one, goos, goarch) &&
            isAffected(one.ranges, version),
        );
        return affected.length === 0 ? [] : [describe(entry, path, version, affected)];
      }),
    );
  return findings.sort((a, b) => order(a.id, b.id) || order(a.module, b.module));
}

function describe(entry: Entry, module: string, found: string, affected: readonly Affected[]): Finding {
  const fixed = findFix(
    affected.flatMap(({ ranges }) => ranges),
    found,
  );
  return {
    id: entry.id,
    aliases: entry.aliases,
    module,
    found,
    fixed: fixed === undefined ? undefined : `v${fixed.replace(/^v/, '')}`,
    severity: severityOf(entry),
    summary: entry.summary,
    url: entry.database_specific?.url,
  };
}

/** Imports without systems are on all of them; no imports at all means the whole module. */
function isOnPlatform({ ecosystem_specific }: Affected, goos: string, goarch: string): boolean {
  const imports = ecosystem_specific?.imports ?? [];
  return imports.length === 0 || imports.some((one) => takes(one.goos, goos) && takes(one.goarch, goarch));
}

function takes(names: readonly string[], name: string): boolean {
  return name === '' || names.length === 0 || names.includes(name);
}

function order(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

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
