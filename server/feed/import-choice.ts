import {
  compareNuGetVersions,
  isPrerelease,
  type NuGetVersion,
  parseNuGetVersion,
} from '../../formats/nuget-version.ts';
import type { Offer } from '../sources/source.ts';

/** Which of the versions that a source has are wanted. */
export type Wish = {
  /** How many listed versions of each id; all without it. */
  readonly newest?: number | undefined;
  readonly withPrereleases: boolean;
  readonly withUnlisted: boolean;
};

export type Choice = {
  /** By id, older versions first. */
  readonly chosen: readonly Offer[];
  readonly left: readonly { readonly offer: Offer; readonly reason: string }[];
};

type Dated = { readonly offer: Offer; readonly version: NuGetVersion };

/** The one decision about what comes along; what is left out is told with its reason. An offer met twice counts once. */
export function chooseOffers(offers: readonly Offer[], wish: Wish): Choice {
  const chosen: Offer[] = [];
  const left: { offer: Offer; reason: string }[] = [];
  for (const versions of byId(offers)) {
    const kept = versions.filter(({ offer, version }) => {
      const reason = reasonAgainst(offer, version, wish);
      if (reason !== undefined) left.push({ offer, reason });
      return reason === undefined;
    });
    const { newest = Number.POSITIVE_INFINITY } = wish;
    const wanted = countNewest(kept, newest);
    for (const { offer } of kept.slice(wanted))
      left.push({ offer, reason: `older than the newest ${newest}` });
    chosen.push(
      ...kept
        .slice(0, wanted)
        .map(({ offer }) => offer)
        .reverse(),
    );
  }
  return { chosen, left };
}

function reasonAgainst(offer: Offer, version: NuGetVersion, wish: Wish): string | undefined {
  if (!wish.withUnlisted && !offer.isListed) return 'unlisted';
  return !wish.withPrereleases && isPrerelease(version) ? 'a prerelease' : undefined;
}

/** Unlisted versions come along without counting, so that a withdrawn newest one does not take a place; unless there are no others. */
function countNewest(kept: readonly Dated[], newest: number): number {
  if (!kept.some(({ offer }) => offer.isListed)) return Math.min(kept.length, newest);
  let listed = 0;
  const end = kept.findIndex(({ offer }) => offer.isListed && ++listed > newest);
  return end === -1 ? kept.length : end;
}

/** Ids in their order, in each the newest first. */
function byId(offers: readonly Offer[]): Dated[][] {
  const groups = new Map<string, Map<string, Dated>>();
  for (const offer of offers) {
    const version = parseNuGetVersion(offer.version);
    if (version === undefined) continue;
    const idKey = offer.id.toLowerCase();
    const group = groups.get(idKey) ?? new Map<string, Dated>();
    group.set(`${offer.version.toLowerCase()} ${offer.from}`, { offer, version });
    groups.set(idKey, group);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, group]) => [...group.values()].sort((a, b) => compareNuGetVersions(b.version, a.version)));
}
