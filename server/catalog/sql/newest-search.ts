import { conjunction } from '../one-id.ts';
import type { Expression, PackageQuery } from '../query.ts';
import { type Newest, type NewestTexts, newestFlags, placeOf } from './newest-texts.ts';
import { type PackageKey, packageKey } from './rows.ts';

export type NewestSearch = {
  /** The page that a search finds. Undefined when the database has to be asked. */
  find(query: PackageQuery, wantsTotal?: boolean): Found | undefined;
};
export type Found = {
  /** The keys of the rows on the page, in their order. */
  readonly keys: readonly number[];
  readonly idKeys: readonly string[];
  /** How many rows there are from the beginning of the query on, if asked for. */
  readonly total: number | undefined;
  /** How many characters are walked over at most, when no word was searched for before. */
  readonly walked: number;
};

type Search = {
  readonly words: readonly string[];
  readonly matches: (version: Newest) => boolean;
  /** An id that is the whole text of the search comes before all others. */
  readonly firstKey: string | undefined;
  readonly after: PackageKey | undefined;
};

/** Characters that one search may walk over, about a nanosecond each; others are for the thread of long queries. */
const maxWalked = 10_000_000;
/**
 * V8 looks for longer words in time that grows with both texts: half a microsecond a character, where both repeat themselves
 * (its Boyer-Moore tables end at 250).
 */
const maxWordLength = 200;

/** Searches for words among the newest versions, in memory: walking over all texts in SQLite costs ten times as much. */
export function createNewestSearch(texts: { current(): NewestTexts | undefined }): NewestSearch {
  /** A query is asked about several times while one answer is made. */
  const known = new WeakMap<PackageQuery, { readonly state: number; readonly found: Found }>();

  return {
    find(query, wantsTotal = false) {
      const search = readSearch(query);
      const now = search && texts.current();
      if (search === undefined || now === undefined) return undefined;
      const walked = search.words.length * now.characters;
      if (walked > maxWalked) return undefined;
      const before = known.get(query);
      if (before?.state === now.state && (!wantsTotal || before.found.total !== undefined))
        return before.found;
      const found = { ...pageOf(matching(now, search), query, wantsTotal), walked };
      known.set(query, { state: now.state, found });
      return found;
    },
  };
}

function pageOf(
  matches: Iterable<Newest>,
  { skip, take }: Pick<PackageQuery, 'skip' | 'take'>,
  wantsTotal: boolean,
): Omit<Found, 'walked'> {
  const keys: number[] = [];
  const idKeys: string[] = [];
  let total = 0;
  for (const { pk, idKey } of matches) {
    if (keys.length >= take && !wantsTotal) break;
    total += 1;
    if (total <= skip || keys.length >= take) continue;
    keys.push(pk);
    idKeys.push(idKey);
  }
  return { keys, idKeys, total: wantsTotal ? total : undefined };
}

/** The versions that a search finds, in their order, from behind the last one of the page before. */
function* matching(
  { ids, byKey, finder }: NewestTexts,
  { words, matches, firstKey, after }: Search,
): Generator<Newest> {
  const finders = words.map(finder);
  // A loop: a function made for each version would leave megabytes to the collector.
  const isFound = (version: Newest) => {
    for (const contains of finders) if (!contains(version)) return false;
    return matches(version);
  };
  const isBehind = ({ idKey, versionKey }: Newest) => idKey !== after?.idKey || versionKey < after.versionKey;
  if (firstKey !== undefined && (after === undefined || after.idKey === firstKey)) {
    for (const version of byKey.get(firstKey)?.versions ?? [])
      if (isBehind(version) && isFound(version)) yield version;
  }
  const start = after === undefined || after.idKey === firstKey ? 0 : placeOf(ids, after.idKey);
  for (let at = start; at < ids.length; at++) {
    const id = ids[at];
    if (id === undefined || id.idKey === firstKey) continue;
    for (const version of id.versions) if (isBehind(version) && isFound(version)) yield version;
  }
}

function readSearch(query: PackageQuery): Search | undefined {
  const { view, id, where, search = [], packageTypes, idsFirst, orderBy, after } = query;
  const isById = orderBy.length === 1 && orderBy[0]?.by === 'Id' && !orderBy[0].descending;
  if (id !== undefined || packageTypes !== undefined || idsFirst !== undefined) return undefined;
  if (search.length === 0 || (orderBy.length > 0 && !isById)) return undefined;
  const asked = conjunction(where).map((part) => flagOf(part, view));
  if (asked.length === 0 || asked.includes(undefined)) return undefined;
  const words = search.map((word) => word.toLowerCase());
  // SQLite has its own way with both.
  if (words.some((word) => /\0|\p{Surrogate}/u.test(word))) return undefined;
  if (words.some(({ length }) => length > maxWordLength)) return undefined;
  return {
    words,
    matches({ isListed, isPrerelease, inSemVer1, flags: has }) {
      for (const flag of asked) if (flag === undefined || !has[flag]) return false;
      return (
        (view !== 'semver1' || inSemVer1) &&
        (query.includeUnlisted || isListed) &&
        (query.includePrerelease || !isPrerelease)
      );
    },
    firstKey: isById ? undefined : words.join(' '),
    after: after && packageKey(after.id, after.version),
  };
}

/** The flag of `IsLatestVersion`, `IsAbsoluteLatestVersion eq true`. */
function flagOf(part: Expression, view: PackageQuery['view']): number | undefined {
  if (part.kind === 'compare' && part.operator === 'eq' && part.right.kind === 'boolean' && part.right.value)
    return flagOf(part.left, view);
  if (part.kind !== 'property') return undefined;
  if (part.name !== 'IsLatestVersion' && part.name !== 'IsAbsoluteLatestVersion') return undefined;
  const at = newestFlags.indexOf(`${part.name === 'IsLatestVersion' ? 'latest' : 'newest'}_${view}`);
  return at < 0 ? undefined : at;
}
