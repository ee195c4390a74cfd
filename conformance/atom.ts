import { type AtomEntry, type AtomPage, propertyOf, readAtomPage } from '../formats/atom-page.ts';
import {
  compareNuGetVersions,
  type NuGetVersion,
  parseNuGetVersion,
  printNormalizedVersion,
} from '../formats/nuget-version.ts';
import type { Element } from '../formats/xml-tree.ts';

/** One package version as a client understands it; read leniently, so that a fault shows in the check that is about it alone. */
export type Entry = AtomEntry & {
  /** The version's identity, or undefined where it is none. */
  readonly parsed: NuGetVersion | undefined;
};

export type FeedPage = Omit<AtomPage, 'entries'> & { readonly entries: readonly Entry[] };

/** Undefined when the root is neither feed nor entry. A single entry is a feed of one. */
export function readPage(root: Element): FeedPage | undefined {
  const page = readAtomPage(root);
  return (
    page && {
      ...page,
      entries: page.entries.map((entry) => ({ ...entry, parsed: parseNuGetVersion(entry.version) })),
    }
  );
}

export function isTrue(entry: Entry, name: string): boolean {
  return propertyOf(entry, name).toLowerCase() === 'true';
}

/** By Published alone, as choco 2.x sees it: unlisted is the year 1900 (spec nuget-v2 9.5). */
export function isListed(entry: Entry): boolean {
  return !/^(1[0-8]\d\d|1900)-/.test(propertyOf(entry, 'Published'));
}

/** `id version`, equal exactly for the same package version. */
export function keyOf({ id, version, parsed }: Pick<Entry, 'id' | 'version' | 'parsed'>): string {
  return `${id} ${parsed === undefined ? version : printNormalizedVersion(parsed)}`.toLowerCase();
}

export function keysOf(entries: readonly Entry[]): string[] {
  return entries.map(keyOf).sort();
}

/** The newest of them by the order of spec nuget-v2 12.1. */
export function newestOf(entries: readonly Entry[]): Entry | undefined {
  return entries
    .filter((entry) => entry.parsed !== undefined)
    .reduce<Entry | undefined>(
      (best, entry) => (best === undefined || isNewer(entry, best) ? entry : best),
      undefined,
    );
}

function isNewer(a: Entry, b: Entry): boolean {
  return a.parsed !== undefined && b.parsed !== undefined && compareNuGetVersions(a.parsed, b.parsed) > 0;
}
