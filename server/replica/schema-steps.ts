import type { Column, Table } from './tables.ts';

/**
 * What makes a database's tables those of a program. `expand`: programs of before can go on meanwhile and afterwards; `contract`:
 * only programs that know of it can.
 */
export type SchemaStep = {
  readonly kind: 'expand' | 'contract';
  /** For people: `add the column packages.owner`. */
  readonly what: string;
  readonly sql: string;
};

/** The tables of a program: its newest migration, and what they look like. */
export type Schema = { readonly number: number; readonly tables: readonly Table[] };

/** A column as a database has it; `standard`: it has a standard value. */
export type FoundColumn = {
  readonly type: string;
  readonly isRequired: boolean;
  readonly hasStandard: boolean;
};
/** Our tables in a database, by name; their columns, by name. */
export type FoundTables = ReadonlyMap<string, ReadonlyMap<string, FoundColumn>>;

/** The comment on each of our tables: no other is ever touched. */
export const mark = 'go-win-tools';

const types = { INTEGER: 'bigint', TEXT: 'text COLLATE "C"', BLOB: 'bytea' } as const;
/** For columns that a program no longer knows and therefore leaves out, while one of before still needs a value. */
const nothing: Readonly<Record<string, string>> = { bigint: '0', text: "''", bytea: `'\\x'` };

/**
 * The steps from what a database has to what a program needs. A column that a program of before does not know keeps its standard
 * value.
 */
export function stepsTo({ tables }: Schema, found: FoundTables): readonly SchemaStep[] {
  const missing = tables.flatMap((table): SchemaStep[] => {
    const { name, columns } = table;
    const there = found.get(name);
    if (there === undefined) return [expand(`add the table ${name}`, createTable(table))];
    return columns
      .filter((column) => !there.has(column.name))
      .map((column) =>
        expand(
          `add the column ${name}.${column.name}`,
          `ALTER TABLE "${name}" ADD COLUMN ${columnOf(column)}`,
        ),
      );
  });
  const known = new Map(
    tables.map(({ name, columns }) => [name, new Set(columns.map((column) => column.name))]),
  );
  const left = [...found].flatMap(([name, columns]): SchemaStep[] => {
    const ours = known.get(name);
    if (ours === undefined) return [contract(`drop the table ${name}`, `DROP TABLE "${name}"`)];
    return [...columns]
      .filter(([column]) => !ours.has(column))
      .flatMap(([column, how]) => leave(name, column, how));
  });
  return [...missing, ...left];
}

/** A column that nobody needs any more, once no program of before runs. */
function leave(table: string, column: string, { type, isRequired, hasStandard }: FoundColumn): SchemaStep[] {
  const standard = nothing[type];
  const drop = contract(
    `drop the column ${table}.${column}`,
    `ALTER TABLE "${table}" DROP COLUMN "${column}"`,
  );
  if (!isRequired || hasStandard || standard === undefined) return [drop];
  const what = `give ${table}.${column} a standard value, since this version no longer writes it`;
  return [expand(what, `ALTER TABLE "${table}" ALTER COLUMN "${column}" SET DEFAULT ${standard}`), drop];
}

function expand(what: string, sql: string): SchemaStep {
  return { kind: 'expand', what, sql };
}

function contract(what: string, sql: string): SchemaStep {
  return { kind: 'contract', what, sql };
}

function createTable({ name, columns, key }: Table): string {
  const keys = key.map((column) => `"${column.name}"`).join(', ');
  const list = [...columns.map(columnOf), `PRIMARY KEY (${keys})`].join(', ');
  return `CREATE TABLE "${name}" (${list}); COMMENT ON TABLE "${name}" IS '${mark}'`;
}

function columnOf({ name, type, isRequired, standard }: Column): string {
  const parts = [
    `"${name}" ${types[type]}`,
    isRequired ? 'NOT NULL' : '',
    standard === null ? '' : `DEFAULT ${standard}`,
  ];
  return parts.filter((part) => part !== '').join(' ');
}
