import type { Commit } from './copy.ts';
import type { Session } from './postgres.ts';
import { type Key, readRows, type TableChange } from './rows.ts';
import type { Table } from './tables.ts';

export type Changes = { readonly commit: Commit; readonly changes: readonly TableChange[] };

/** A longer list of keys is not read one by one: everything is copied, in parts. */
const maxCharacters = 2_000_000;

/** What a commit changed: the keys by table, as JSON. */
export type ChangedKeys = Readonly<Record<string, readonly Key[]>>;

/**
 * What has changed since a commit, as it is now; undefined when the list does not have it, or cannot say what came after, and
 * everything has to be copied. Call it where nothing changes in between: in a transaction that sees one state, or holds the lock.
 */
export async function readChanges(
  session: Session,
  tables: readonly Table[],
  since: Commit,
): Promise<Changes | undefined> {
  const [[length] = []] = await session.query(
    'SELECT sum(length(changes)) FROM replica_commits WHERE revision > $1',
    [since.revision],
  );
  if (Number(length) > maxCharacters) return undefined;
  const commits = (await session.query(
    'SELECT revision, token, changes FROM replica_commits WHERE revision >= $1 ORDER BY revision',
    [since.revision],
  )) as readonly (readonly [number, string, string | null])[];
  const [first, ...later] = commits;
  const isWhole = later.every(
    ([revision, , changes], at) => revision === since.revision + 1 + at && changes !== null,
  );
  if (first?.[1] !== since.token || !isWhole) return undefined;
  const keys = keysOf(later.map(([, , changes]) => JSON.parse(changes ?? '{}') as ChangedKeys));
  const changes: TableChange[] = [];
  for (const table of tables) {
    const changed = keys.get(table.name);
    if (changed === undefined) continue;
    const all = [...changed.values()];
    changes.push({ table, keys: all, rows: await readRows(session, table, all) });
  }
  const [revision, token] = commits.at(-1) ?? first;
  return { commit: { revision, token }, changes };
}

/** Each key once. Tables that this program does not know are left out later. */
function keysOf(commits: readonly ChangedKeys[]): ReadonlyMap<string, ReadonlyMap<string, Key>> {
  const keys = new Map<string, Map<string, Key>>();
  for (const commit of commits) {
    for (const [table, changed] of Object.entries(commit)) {
      const known = keys.get(table) ?? new Map<string, Key>();
      for (const key of changed) known.set(JSON.stringify(key), key);
      keys.set(table, known);
    }
  }
  return keys;
}
