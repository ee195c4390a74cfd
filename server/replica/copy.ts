import type { Connection, ForeignChange } from '../database/connection.ts';
import { readRow, whereKey } from './capture.ts';
import { keyOf, type Row, type TableChange, toSql } from './rows.ts';
import type { Table } from './tables.ts';

/** This replica's copy of the database, in SQLite. */
export type Copy = {
  /** The database's commit that it shows. */
  at(): Commit;
  /** Makes the changes up to a later commit. */
  apply(changes: readonly TableChange[], commit: Commit): ForeignChange;
};

/** A commit of the database: its number, and its token, which no other commit has. */
export type Commit = { readonly revision: number; readonly token: string };

const nothing: Commit = { revision: -1, token: '' };

/** Tables whose rows are of one package id. */
const ofPackages = new Set(['packages', 'held_packages', 'ids']);

export function createCopy(db: Connection, forget: () => void): Copy {
  const { prepare, exec } = db;

  return {
    at: () => (prepare('SELECT revision, token FROM replica_copy').get() as Commit | undefined) ?? nothing,
    apply(changes, { revision, token }) {
      exec('BEGIN IMMEDIATE; PRAGMA defer_foreign_keys = ON');
      try {
        const difference = makeChanges(changes);
        prepare('UPDATE replica_copy SET revision = ?, token = ?').run(revision, token);
        // What is in memory is compared with this number, which is of this process alone.
        prepare('UPDATE state SET revision = revision + 1').run();
        forget();
        exec('COMMIT');
        return difference;
      } catch (error) {
        rollBack(db);
        throw error;
      }
    },
  };

  function makeChanges(changes: readonly TableChange[]): ForeignChange {
    const replaced = new Set<string>();
    const removed = new Set<string>();
    const ids = new Set<string>();
    const counted = new Set<string>();
    for (const { table, keys, rows } of changes) {
      const after = new Map(rows.map((row) => [JSON.stringify(keyOf(table, row)), row]));
      for (const key of keys) {
        const before = readRow(db, table, key);
        const now = after.get(JSON.stringify(key));
        if (before !== undefined) replaced.add(table.name);
        if (before !== undefined && now === undefined) removed.add(table.name);
        if (!ofPackages.has(table.name)) continue;
        const id = String((now ?? before)?.id_key ?? '');
        if (before !== undefined && now !== undefined && isSameButCounts(before, now)) counted.add(id);
        else ids.add(id);
      }
    }
    // All old rows first: an order of rows that two unique indexes accept need not exist.
    for (const { table, keys } of changes) {
      const remove = prepare(`DELETE FROM "${table.name}" WHERE ${whereKey(table)}`);
      for (const key of keys) remove.run(...table.key.map((column, at) => toSql(column, key[at])));
    }
    for (const { table, rows } of changes) insertRows(db, table, rows);
    const tables = new Set(changes.map(({ table }) => table.name));
    return { tables, replaced, removed, ids: [...ids], countedIds: [...counted] };
  }
}

/** SQLite itself undoes a transaction for which there is no room. */
export function rollBack({ exec }: Pick<Connection, 'exec'>): void {
  try {
    exec('ROLLBACK');
  } catch {
    // The error that led here says more.
  }
}

/** In the order of the key: the audit log has to be written in its order. */
export function insertRows(
  { prepare }: Pick<Connection, 'prepare'>,
  table: Table,
  rows: readonly Row[],
): void {
  const { name, columns } = table;
  const insert = prepare(
    `INSERT INTO "${name}" (${columns.map((column) => `"${column.name}"`).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
  );
  const [first] = table.key;
  const ordered =
    first?.type === 'INTEGER' && table.key.length === 1
      ? [...rows].sort((a, b) => Number(a[first.name]) - Number(b[first.name]))
      : rows;
  for (const row of ordered) insert.run(...columns.map((column) => toSql(column, row[column.name])));
}

function isSameButCounts(before: Row, now: Row): boolean {
  return Object.keys(now).every((name) => name === 'downloads' || before[name] === now[name]);
}
