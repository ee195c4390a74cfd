import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Prepare } from '../../database/statements.ts';
import { conjunction } from '../one-id.ts';
import type { Expression, PackageQuery } from '../query.ts';
import { joins } from './columns.ts';
import type { SqlRevisions } from './revisions.ts';
import { type PackageKey, packageKey } from './rows.ts';

export type NewestTexts = {
  /** The keys of the rows on the page, in their order. Undefined for any other question, or when the texts are not at hand. */
  find(query: PackageQuery): number[] | undefined;
  /** How many rows there are on all pages together. */
  count(query: PackageQuery): number | undefined;
};

/** One of the newest versions of an id: what a search asks of it. */
type Newest = {
  readonly pk: number;
  readonly idKey: string;
  readonly versionKey: string;
  readonly isListed: boolean;
  readonly isPrerelease: boolean;
  readonly inSemVer1: boolean;
  /** In the order of `flags`. */
  readonly flags: readonly boolean[];
  readonly text: string;
};
type Id = { readonly idKey: string; readonly versions: readonly Newest[] };
type Search = {
  readonly words: readonly string[];
  readonly matches: (version: Newest) => boolean;
  /** An id that is the whole text of the search comes before all others. */
  readonly firstKey: string | undefined;
  readonly after: PackageKey | undefined;
};

const flags = ['latest_semver1', 'newest_semver1', 'latest_semver2', 'newest_semver2'] as const;

/** Texts of all newest versions together, in characters; a feed that has more of them searches in the database. */
const maxCharacters = 16 * 1024 ** 2;
/** Characters that one search may walk over, about a nanosecond each; others are for the thread of long queries. */
const maxWalked = 10_000_000;
/**
 * V8 looks for longer words in time that grows with both texts: half a microsecond a character, where both repeat themselves
 * (its Boyer-Moore tables end at 250).
 */
const maxWordLength = 200;
/** So many ids are read in one turn of the event loop. */
const idsAtOnce = 100;
/** So many are read again by one search; after an import all are read anew, others first. */
const maxChanged = 100;

/**
 * The texts of the newest versions in memory, since each search walks over all of them: in SQLite that costs ten times as
 * much. They are read when the first search comes, and again of an id that changed.
 */
export function createNewestTexts(prepare: Prepare, revisions: SqlRevisions): NewestTexts {
  const byKey = new Map<string, Id>();
  /** In the order of their keys. */
  let ids: Id[] = [];
  let characters = 0;
  let state: 'none' | 'reading' | 'whole' | 'too large' = 'none';
  const changed = new Set<string>();

  revisions.onChange((idKeys) => {
    if (state === 'reading' || state === 'whole') for (const idKey of idKeys) changed.add(idKey);
  });

  async function readAll(): Promise<void> {
    state = 'reading';
    changed.clear();
    byKey.clear();
    ids = [];
    characters = 0;
    for (let last = ''; ; ) {
      const keys = prepare(nextIds).pluck().all(last, idsAtOnce) as string[];
      for (const idKey of keys) put(idKey);
      last = keys.at(-1) ?? '';
      if (characters > maxCharacters) return forget('too large');
      if (keys.length < idsAtOnce) break;
      await nextTurn();
    }
    ids = [...byKey.values()].sort(byIdKey);
    state = 'whole';
  }

  function forget(next: typeof state): void {
    state = next;
    byKey.clear();
    ids = [];
    changed.clear();
  }

  function put(idKey: string): Id | undefined {
    const before = byKey.get(idKey);
    for (const { text } of before?.versions ?? []) characters -= text.length;
    byKey.delete(idKey);
    const rows = prepare(newestOf).raw().all(idKey, idKey, idKey, idKey) as RawNewest[];
    if (rows.length === 0) return undefined;
    const id = { idKey, versions: rows.map(toNewest) };
    for (const { text } of id.versions) characters += text.length;
    byKey.set(idKey, id);
    return id;
  }

  /** Whether all texts are at hand, as they are now. */
  function isReady(): boolean {
    if (state === 'none') void readAll().catch(() => forget('none'));
    if (state !== 'whole') return false;
    if (changed.size > maxChanged) {
      forget('none');
      return false;
    }
    for (const idKey of changed) {
      const at = placeOf(ids, idKey);
      const wasThere = ids[at]?.idKey === idKey;
      const id = put(idKey);
      ids.splice(at, wasThere ? 1 : 0, ...(id === undefined ? [] : [id]));
    }
    changed.clear();
    if (characters > maxCharacters) forget('too large');
    return state === 'whole';
  }

  /** The versions that a search finds, in their order, from behind the last one of the page before. */
  function* matching({ words, matches, firstKey, after }: Search): Generator<Newest> {
    const isFound = (version: Newest) =>
      matches(version) && words.every((word) => version.text.includes(word));
    const isBehind = ({ idKey, versionKey }: Newest) =>
      idKey !== after?.idKey || versionKey < after.versionKey;
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

  function searchOf(query: PackageQuery): Search | undefined {
    const search = readSearch(query);
    if (search === undefined || !isReady()) return undefined;
    return search.words.length * characters <= maxWalked ? search : undefined;
  }

  return {
    find(query) {
      const search = searchOf(query);
      if (search === undefined) return undefined;
      const found: number[] = [];
      let skip = query.skip;
      for (const version of matching(search)) {
        if (found.length >= query.take) break;
        if (skip > 0) skip -= 1;
        else found.push(version.pk);
      }
      return found;
    },
    count(query) {
      const search = searchOf(query);
      if (search === undefined) return undefined;
      let count = 0;
      for (const _ of matching(search)) count += 1;
      return count;
    },
  };
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
    matches: ({ isListed, isPrerelease, inSemVer1, flags: has }) =>
      asked.every((flag) => flag !== undefined && has[flag]) &&
      (view !== 'semver1' || inSemVer1) &&
      (query.includeUnlisted || isListed) &&
      (query.includePrerelease || !isPrerelease),
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
  const at = flags.indexOf(`${part.name === 'IsLatestVersion' ? 'latest' : 'newest'}_${view}`);
  return at < 0 ? undefined : at;
}

type RawNewest = [
  pk: number,
  idKey: string,
  versionKey: string,
  isListed: number,
  isPrerelease: number,
  inSemVer1: number,
  text: string,
  ...flags: number[],
];

function toNewest([
  pk,
  idKey,
  versionKey,
  isListed,
  isPrerelease,
  inSemVer1,
  text,
  ...has
]: RawNewest): Newest {
  return {
    pk,
    idKey,
    versionKey,
    isListed: isListed === 1,
    isPrerelease: isPrerelease === 1,
    inSemVer1: inSemVer1 === 1,
    text,
    flags: has.map((flag) => flag === 1),
  };
}

/** Every id that has a listed version: one of them is the newest of all. */
const nextIds =
  'SELECT p.id_key FROM packages p WHERE p.newest_semver2 = 1 AND p.id_key > ? ORDER BY p.id_key LIMIT ?';
const selected = `SELECT p.pk, p.id_key, p.version_key, p.is_listed, p.is_prerelease, p.in_semver1, t.search, ${flags
  .map((flag) => `p.${flag}`)
  .join(', ')} FROM packages p ${joins.t}`;
/** A UNION, since each of its parts finds its one row in an index of its own. */
const newestOf = `${flags.map((flag) => `${selected} WHERE p.id_key = ? AND p.${flag} = 1`).join(' UNION ')} ORDER BY 3 DESC`;

/** As SQLite orders: ids are ASCII (formats/nuspec-fields.ts). */
function byIdKey(one: Id, other: Id): number {
  return one.idKey < other.idKey ? -1 : 1;
}

/** Where the id is, or would be. */
function placeOf(ids: readonly Id[], idKey: string): number {
  let [low, high] = [0, ids.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ids[middle]?.idKey ?? '') < idKey) low = middle + 1;
    else high = middle;
  }
  return low;
}
