import type { Connection } from '../database/connection.ts';
import { type Key, type Row, type TableChange, toJson, toSql } from './rows.ts';
import type { Column, Table } from './tables.ts';

/** Notes which rows of the shared tables a transaction changes. */
export type Capture = {
  /** What the transaction that runs has changed so far. */
  changes(): readonly TableChange[];
  /** Call it at the end of a transaction that is kept. */
  forget(): void;
};

/**
 * By temporary triggers, which exist for this connection alone. Only keys are noted: the rows are read once, as the whole
 * transaction leaves them.
 */
export function createCapture({ prepare, exec, pragma }: Connection, tables: readonly Table[]): Capture {
  // REPLACE calls the triggers of what it deletes only with this.
  pragma('recursive_triggers = ON');
  exec('CREATE TEMP TABLE captured (table_name TEXT NOT NULL, key TEXT NOT NULL)');
  for (const table of tables) for (const sql of triggersOf(table)) exec(sql);
  const byName = new Map(tables.map((table) => [table.name, table]));
  const selectKeys = prepare('SELECT DISTINCT table_name, key FROM temp.captured');

  return {
    changes() {
      const keys = new Map<Table, Key[]>();
      for (const { table_name, key } of selectKeys.all() as { table_name: string; key: string }[]) {
        const table = byName.get(table_name);
        if (table === undefined) continue;
        const known = keys.get(table) ?? [];
        known.push(JSON.parse(key) as Key);
        keys.set(table, known);
      }
      return [...keys].map(([table, of]) => ({
        table,
        keys: of,
        rows: of.flatMap((key) => rowsOf(table, key)),
      }));
    },
    forget: () => void prepare('DELETE FROM temp.captured').run(),
  };

  function rowsOf(table: Table, key: Key): Row[] {
    const found = readRow({ prepare }, table, key);
    return found === undefined ? [] : [found];
  }
}

/** The row of a key in SQLite. */
export function readRow({ prepare }: Pick<Connection, 'prepare'>, table: Table, key: Key): Row | undefined {
  const raw = prepare(`SELECT * FROM "${table.name}" WHERE ${whereKey(table)}`).get(
    ...table.key.map((column, at) => toSql(column, key[at])),
  ) as Record<string, unknown> | undefined;
  if (raw === undefined) return undefined;
  return Object.fromEntries(table.columns.map(({ name }) => [name, toJson(raw[name])]));
}

export function whereKey({ key }: Table): string {
  return key.map(({ name }) => `"${name}" = ?`).join(' AND ');
}

function triggersOf({ name, key }: Table): string[] {
  const note = (row: 'NEW' | 'OLD'): string =>
    `INSERT INTO captured VALUES ('${name}', json_array(${key.map((column) => asJson(row, column)).join(', ')}));`;
  const events = [
    ['INSERT', ['NEW']],
    ['DELETE', ['OLD']],
    ['UPDATE', ['OLD', 'NEW']],
  ] as const;
  return events.map(
    ([event, rows]) =>
      `CREATE TEMP TRIGGER "capture_${name}_${event}" AFTER ${event} ON main."${name}"
       BEGIN ${rows.map(note).join(' ')} END`,
  );
}

/** JSON has no binary values. */
function asJson(row: string, { name, type }: Column): string {
  return type === 'BLOB' ? `'\\x' || lower(hex(${row}."${name}"))` : `${row}."${name}"`;
}
