import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Prepare } from '../../database/statements.ts';
import { joins } from './columns.ts';
import type { SqlRevisions } from './revisions.ts';
import { createWordMemory, type NumberedText } from './word-memory.ts';

/** The texts of all newest versions. */
export type NewestTexts = {
  /** In the order of their keys. */
  readonly ids: readonly Id[];
  readonly byKey: ReadonlyMap<string, Id>;
  /** Of all texts together. */
  readonly characters: number;
  /** Another number for each state of the texts. */
  readonly state: number;
  /** Whether texts contain a word. */
  finder(word: string): (version: Newest) => boolean;
};
export type Id = { readonly idKey: string; readonly versions: readonly Newest[] };
/** One of the newest versions of an id: what a search needs to know about it. */
export type Newest = NumberedText & {
  readonly pk: number;
  readonly idKey: string;
  readonly versionKey: string;
  readonly isListed: boolean;
  readonly isPrerelease: boolean;
  readonly inSemVer1: boolean;
  /** In the order of `newestFlags`. */
  readonly flags: readonly boolean[];
};

export const newestFlags = ['latest_semver1', 'newest_semver1', 'latest_semver2', 'newest_semver2'] as const;

/** Texts of all newest versions together, in characters; a feed that has more of them searches in the database. */
const maxCharacters = 16 * 1024 ** 2;
/** So many ids are read in one turn of the event loop. */
const idsAtOnce = 100;
/** So many are read again by one search; after an import all are read anew, others first. */
const maxChanged = 100;

/**
 * Keeps the texts of the newest versions in memory. They are read when the first search comes, and those of an id again when
 * it has changed. `current` gives them as they are now, undefined while they are being read or when they are too large.
 */
export function createNewestTexts(
  prepare: Prepare,
  revisions: SqlRevisions,
): { current(): NewestTexts | undefined } {
  const byKey = new Map<string, Id>();
  /** In the order of their keys. */
  let ids: Id[] = [];
  let characters = 0;
  const memory = createWordMemory();
  let slots = 0;
  /** Numbers below `slots` that no version has. */
  let free: number[] = [];
  let state: 'none' | 'reading' | 'whole' | 'too large' = 'none';
  let states = 0;
  const changed = new Set<string>();
  /** Any of them may have changed. */
  let hasChangedWhole = false;

  revisions.onChange((idKeys) => {
    if (idKeys === undefined) hasChangedWhole = true;
    if (idKeys === undefined) return;
    if (state === 'reading' || state === 'whole') for (const idKey of idKeys) changed.add(idKey);
  });

  async function readAll(): Promise<void> {
    state = 'reading';
    hasChangedWhole = false;
    changed.clear();
    byKey.clear();
    ids = [];
    characters = 0;
    [slots, free] = [0, []];
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
    states += 1;
    const before = byKey.get(idKey);
    for (const { text, slot } of before?.versions ?? []) {
      characters -= text.length;
      free.push(slot);
    }
    byKey.delete(idKey);
    const rows = prepare(newestOf).raw().all(idKey, idKey, idKey, idKey) as RawNewest[];
    if (rows.length === 0) return undefined;
    const id = { idKey, versions: rows.map((row) => toNewest(row, takeSlot())) };
    for (const { text } of id.versions) characters += text.length;
    byKey.set(idKey, id);
    return id;
  }

  function takeSlot(): number {
    const slot = free.pop() ?? slots++;
    memory.forget(slot);
    return slot;
  }

  /** Whether all texts are in memory, as they are now. */
  function isReady(): boolean {
    if (state === 'none') void readAll().catch(() => forget('none'));
    if (state !== 'whole') return false;
    if (hasChangedWhole || changed.size > maxChanged) {
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

  const finder = (word: string) => memory.finder(word, slots);
  return { current: () => (isReady() ? { ids, byKey, characters, state: states, finder } : undefined) };
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

function toNewest(
  [pk, idKey, versionKey, isListed, isPrerelease, inSemVer1, text, ...has]: RawNewest,
  slot: number,
): Newest {
  return {
    slot,
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
const selected = `SELECT p.pk, p.id_key, p.version_key, p.is_listed, p.is_prerelease, p.in_semver1, t.search, ${newestFlags
  .map((flag) => `p.${flag}`)
  .join(', ')} FROM packages p ${joins.t}`;
/** A UNION, since each of its parts finds its one row in an index of its own. */
const newestOf = `${newestFlags.map((flag) => `${selected} WHERE p.id_key = ? AND p.${flag} = 1`).join(' UNION ')} ORDER BY 3 DESC`;

/** As SQLite orders: ids are ASCII (formats/nuspec-fields.ts). */
function byIdKey(one: Id, other: Id): number {
  return one.idKey < other.idKey ? -1 : 1;
}

/** Where the id is, or would be. */
export function placeOf(ids: readonly Id[], idKey: string): number {
  let [low, high] = [0, ids.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ids[middle]?.idKey ?? '') < idKey) low = middle + 1;
    else high = middle;
  }
  return low;
}
