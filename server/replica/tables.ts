import type { Prepare } from '../database/statements.ts';

/** A table that all replicas share, as SQLite has it. */
export type Table = {
  readonly name: string;
  readonly columns: readonly Column[];
  /** The columns of the primary key, in its order. */
  readonly key: readonly Column[];
};
export type Column = {
  readonly name: string;
  readonly type: 'INTEGER' | 'TEXT' | 'BLOB';
  readonly isRequired: boolean;
  /** An SQL literal. */
  readonly standard: string | null;
};

/**
 * Tables that each replica has for itself: revisions of what it keeps in memory, small blobs that only a disk needs, and the
 * state of its copy.
 */
const own = new Set(['state', 'pending_blobs', 'replica_copy']);

/** The shared tables of a database with the newest schema, in the order of their names. */
export function sharedTables(prepare: Prepare): readonly Table[] {
  const names = prepare(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
  ).pluck();
  return (names.all() as string[]).filter((name) => !own.has(name)).map((name) => describe(prepare, name));
}

type RawColumn = { name: string; type: string; notnull: number; dflt_value: string | null; pk: number };

function describe(prepare: Prepare, name: string): Table {
  const raws = prepare(`SELECT * FROM pragma_table_info('${name}')`).all() as RawColumn[];
  const columns = raws.map((raw): Column => {
    const { type, notnull, dflt_value: standard } = raw;
    if (type !== 'INTEGER' && type !== 'TEXT' && type !== 'BLOB')
      throw new Error(`${name}.${raw.name}: ${type}`);
    return { name: raw.name, type, isRequired: notnull === 1, standard };
  });
  const key = raws
    .map(({ pk }, at) => ({ pk, column: columns[at] as Column }))
    .filter(({ pk }) => pk > 0)
    .sort((a, b) => a.pk - b.pk)
    .map(({ column }) => column);
  if (key.length === 0) throw new Error(`the shared table ${name} needs a primary key`);
  return { name, columns, key };
}
