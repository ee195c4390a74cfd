import type { SqlValue } from '../database/statements.ts';
import { fail } from '../errors.ts';
import type { Session } from './postgres.ts';
import type { Column, Table } from './tables.ts';

/** A row as JSON: binary values as PostgreSQL writes them in text, `\x00ff`. */
export type Row = Readonly<Record<string, string | number | null>>;
/** The values of a primary key, as JSON. */
export type Key = readonly (string | number)[];

/** What a change did to one table. A key that is in neither list of rows is of a row that is gone. */
export type TableChange = {
  readonly table: Table;
  readonly keys: readonly Key[];
  readonly rows: readonly Row[];
};

const types = { INTEGER: 'bigint', TEXT: 'text', BLOB: 'bytea' } as const;

export function toJson(value: unknown): string | number | null {
  if (Buffer.isBuffer(value)) return `\\x${value.toString('hex')}`;
  return typeof value === 'bigint' ? Number(value) : (value as string | number | null);
}

export function toSql({ type }: Column, value: string | number | null | undefined): SqlValue {
  if (value === null || value === undefined) return null;
  return type === 'BLOB' ? Buffer.from(String(value).slice(2), 'hex') : value;
}

export function keyOf({ key }: Table, row: Row): Key {
  return key.map(({ name }) => row[name] ?? '');
}

/** The rows that are there now of these keys. */
export async function readRows(session: Session, table: Table, keys: readonly Key[]): Promise<Row[]> {
  const names = table.columns.map(({ name }) => `t."${name}"`).join(', ');
  const on = table.key.map(({ name }) => `t."${name}" = k."${name}"`).join(' AND ');
  const found = await session.query(
    `SELECT ${names} FROM json_to_recordset($1::json) AS k(${recordOf(table.key)}) JOIN "${table.name}" t ON ${on}`,
    [JSON.stringify(keys.map((key) => asRecord(table.key, key)))],
  );
  return found.map((values) => rowOf(table, values));
}

export function rowOf({ columns }: Table, values: readonly unknown[]): Row {
  return Object.fromEntries(columns.map(({ name }, at) => [name, toJson(values[at])]));
}

/** SQL that makes a table have these rows and none of the other keys; `values` gets its values. */
export function writeSql({ table, keys, rows }: TableChange, values: unknown[]): string[] {
  const { name, columns, key } = table;
  const there = new Set(rows.map((row) => JSON.stringify(keyOf(table, row))));
  const gone = keys.filter((one) => !there.has(JSON.stringify(one)));
  const parts: string[] = [];
  if (gone.length > 0) {
    values.push(JSON.stringify(gone.map((one) => asRecord(key, one))));
    const on = key.map((column) => `t."${column.name}" = k."${column.name}"`).join(' AND ');
    parts.push(
      `DELETE FROM "${name}" t USING json_to_recordset($${values.length}::json) AS k(${recordOf(key)}) WHERE ${on}`,
    );
  }
  if (rows.length > 0) {
    values.push(storable(JSON.stringify(rows)));
    const list = columns.map((column) => `"${column.name}"`).join(', ');
    const others = columns.filter((column) => !key.includes(column));
    const update = others.map((column) => `"${column.name}" = excluded."${column.name}"`).join(', ');
    parts.push(
      `INSERT INTO "${name}" (${list}) SELECT ${list} FROM json_to_recordset($${values.length}::json) AS r(${recordOf(columns)})
       ON CONFLICT (${key.map((column) => `"${column.name}"`).join(', ')}) DO ${update === '' ? 'NOTHING' : `UPDATE SET ${update}`}`,
    );
  }
  return parts;
}

/** SQLite takes any character. @throws FeedError TEXT_UNUSABLE */
function storable(json: string): string {
  // The escape of the character itself, and not of a backslash before the letters.
  return /(?<!\\)(?:\\\\)*\\u0000/.test(json) ? fail('TEXT_UNUSABLE') : json;
}

function recordOf(columns: readonly Column[]): string {
  return columns.map(({ name, type }) => `"${name}" ${types[type]}`).join(', ');
}

function asRecord(columns: readonly Column[], key: Key): Row {
  return Object.fromEntries(columns.map(({ name }, at) => [name, key[at] ?? null]));
}
