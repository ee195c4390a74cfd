import {
  compareNuGetVersions,
  isPrerelease,
  type NuGetVersion,
  parseNuGetVersion,
} from '../../formats/nuget-version.ts';
import type { RemotePackage } from '../import/source.ts';

/** Selects versions of the source. */
export type ImportFilter = {
  /** The number of listed versions of each id; absent: all. */
  readonly newest?: number | undefined;
  readonly withPrereleases: boolean;
  readonly withUnlisted: boolean;
};

export type Selection = {
  /** By id, older versions first. */
  readonly chosen: readonly RemotePackage[];
  readonly skipped: readonly { readonly remote: RemotePackage; readonly reason: string }[];
};

type Dated = { readonly remote: RemotePackage; readonly version: NuGetVersion };

/** Decides what is imported; everything left out is reported with the reason. A package that is listed twice counts once. */
export function choosePackages(packages: readonly RemotePackage[], filter: ImportFilter): Selection {
  const chosen: RemotePackage[] = [];
  const skipped: { remote: RemotePackage; reason: string }[] = [];
  for (const versions of byId(packages)) {
    const kept = versions.filter(({ remote, version }) => {
      const reason = reasonAgainst(remote, version, filter);
      if (reason !== undefined) skipped.push({ remote, reason });
      return reason === undefined;
    });
    const { newest = Number.POSITIVE_INFINITY } = filter;
    const wanted = countNewest(kept, newest);
    for (const { remote } of kept.slice(wanted))
      skipped.push({ remote, reason: `older than the newest ${newest}` });
    chosen.push(
      ...kept
        .slice(0, wanted)
        .map(({ remote }) => remote)
        .reverse(),
    );
  }
  return { chosen, skipped };
}

function reasonAgainst(
  remote: RemotePackage,
  version: NuGetVersion,
  filter: ImportFilter,
): string | undefined {
  if (!filter.withUnlisted && !remote.isListed) return 'unlisted';
  return !filter.withPrereleases && isPrerelease(version) ? 'a prerelease' : undefined;
}

/** Unlisted versions are included and do not count, so that none takes the place of a listed one. They count if all are unlisted. */
function countNewest(kept: readonly Dated[], newest: number): number {
  if (!kept.some(({ remote }) => remote.isListed)) return Math.min(kept.length, newest);
  let listed = 0;
  const end = kept.findIndex(({ remote }) => remote.isListed && ++listed > newest);
  return end === -1 ? kept.length : end;
}

/** Grouped by id in their order, each with the newest first. */
function byId(packages: readonly RemotePackage[]): Dated[][] {
  const groups = new Map<string, Map<string, Dated>>();
  for (const remote of packages) {
    const version = parseNuGetVersion(remote.version);
    if (version === undefined) continue;
    const idKey = remote.id.toLowerCase();
    const group = groups.get(idKey) ?? new Map<string, Dated>();
    group.set(`${remote.version.toLowerCase()} ${remote.from}`, { remote, version });
    groups.set(idKey, group);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, group]) => [...group.values()].sort((a, b) => compareNuGetVersions(b.version, a.version)));
}
