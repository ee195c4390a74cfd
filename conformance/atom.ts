import {
  compareNuGetVersions,
  type NuGetVersion,
  parseNuGetVersion,
  printNormalizedVersion,
} from '../formats/nuget-version.ts';
import { childOf, childrenOf, type Element } from './xml.ts';

/** One package version as a client understands it; read leniently, so that a fault shows in the check that is about it alone. */
export type Entry = {
  readonly element: Element;
  /** d:Id, or else the title, as choco 2.x reads it (spec nuget-v2 9.4). */
  readonly id: string;
  /** d:Version as spelled. */
  readonly version: string;
  /** The version's identity, or undefined where it is none. */
  readonly parsed: NuGetVersion | undefined;
  readonly atomId: string;
  readonly source: string | undefined;
  readonly properties: ReadonlyMap<string, Element>;
};

export type FeedPage = {
  readonly root: Element;
  readonly entries: readonly Entry[];
  readonly next: string | undefined;
  /** m:count */
  readonly count: number | undefined;
};

/** Undefined when the root is neither feed nor entry. A single entry is a feed of one. */
export function readPage(root: Element): FeedPage | undefined {
  if (root.name === 'entry') {
    return { root, entries: [readEntry(root)], next: undefined, count: undefined };
  }
  if (root.name !== 'feed') return undefined;
  const count = childOf(root, 'count')?.text.trim() ?? '';
  return {
    root,
    entries: childrenOf(root, 'entry').map(readEntry),
    next: childrenOf(root, 'link')
      .find((link) => link.attributes.get('rel') === 'next')
      ?.attributes.get('href'),
    count: /^\d+$/.test(count) ? Number(count) : undefined,
  };
}

function readEntry(element: Element): Entry {
  const content = childOf(element, 'content');
  const list = childOf(element, 'properties') ?? childOf(content, 'properties');
  const properties = new Map((list?.children ?? []).map((child) => [child.name, child]));
  const version = properties.get('Version')?.text.trim() ?? '';
  return {
    element,
    id: properties.get('Id')?.text.trim() || (childOf(element, 'title')?.text.trim() ?? ''),
    version,
    parsed: parseNuGetVersion(version),
    atomId: childOf(element, 'id')?.text.trim() ?? '',
    source: content?.attributes.get('src'),
    properties,
  };
}

/** The text of a property; empty when it is absent. */
export function propertyOf(entry: Entry, name: string): string {
  return entry.properties.get(name)?.text.trim() ?? '';
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
