import { FeedError } from '../errors.ts';
import type { Postgres, Session } from './postgres.ts';
import type { Column, Table } from './tables.ts';

/**
 * What makes a database's tables those of a program. `expand`: programs of before can go on meanwhile and afterwards; `contract`:
 * only programs that know of it can.
 */
export type SchemaStep = { readonly kind: 'expand' | 'contract'; readonly sql: string };

/** The tables of a program: its newest migration, and what they look like. */
export type Schema = { readonly number: number; readonly tables: readonly Table[] };

const types = { INTEGER: 'bigint', TEXT: 'text COLLATE "C"', BLOB: 'bytea' } as const;

/** `id`: another one for each database, so that no copy is taken for one of another. */
const stateTables = [
  `CREATE TABLE IF NOT EXISTS replica_state (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    id         text NOT NULL,
    revision   bigint NOT NULL,
    schema     bigint NOT NULL,
    min_schema bigint NOT NULL
  )`,
  // changes: JSON, the keys by table; NULL: more than a list can say, and everything has to be copied.
  `CREATE TABLE IF NOT EXISTS replica_commits (
    revision bigint PRIMARY KEY,
    token    text NOT NULL,
    at       timestamptz NOT NULL DEFAULT now(),
    changes  text
  )`,
  `INSERT INTO replica_state (id, revision, schema, min_schema)
    VALUES (gen_random_uuid()::text, 0, 0, 0) ON CONFLICT DO NOTHING`,
];

/**
 * The steps from what a database has (columns by table) to what a program needs. A column that a program of before does not know
 * keeps its standard value.
 */
export function stepsTo(
  { tables }: Schema,
  found: ReadonlyMap<string, ReadonlySet<string>>,
): readonly SchemaStep[] {
  const missing = tables.flatMap((table): string[] => {
    const there = found.get(table.name);
    if (there === undefined) return [`${createTable(table)}; COMMENT ON TABLE "${table.name}" IS '${mark}'`];
    return table.columns
      .filter(({ name }) => !there.has(name))
      .map((column) => `ALTER TABLE "${table.name}" ADD COLUMN ${columnOf(column)}`);
  });
  const known = new Map(
    tables.map(({ name, columns }) => [name, new Set(columns.map((column) => column.name))]),
  );
  const left = [...found].flatMap(([name, columns]) => {
    const ours = known.get(name);
    if (ours === undefined) return [`DROP TABLE "${name}"`];
    return [...columns]
      .filter((column) => !ours.has(column))
      .map((column) => `ALTER TABLE "${name}" DROP COLUMN "${column}"`);
  });
  return [
    ...missing.map((sql): SchemaStep => ({ kind: 'expand', sql })),
    ...left.map((sql): SchemaStep => ({ kind: 'contract', sql })),
  ];
}

/** The comment on each of our tables: no other is ever touched. */
const mark = 'go-win-tools';

function createTable({ name, columns, key }: Table): string {
  const keys = key.map((column) => `"${column.name}"`).join(', ');
  return `CREATE TABLE "${name}" (${[...columns.map(columnOf), `PRIMARY KEY (${keys})`].join(', ')})`;
}

function columnOf({ name, type, isRequired, standard }: Column): string {
  const parts = [
    `"${name}" ${types[type]}`,
    isRequired ? 'NOT NULL' : '',
    standard === null ? '' : `DEFAULT ${standard}`,
  ];
  return parts.filter((part) => part !== '').join(' ');
}

/** Two servers that start at once do not get into each other's way. The number is this program's own. */
const lockMigrations = 'SELECT pg_advisory_xact_lock(7265746)';

/** What a database is like: undefined for one without our tables. */
export type Found = {
  readonly revision: number;
  readonly schema: number;
  readonly minSchema: number;
  readonly steps: readonly SchemaStep[];
};

/**
 * Takes the expanding steps that are missing, in one transaction; with `contract` the contracting ones too.
 * @throws FeedError DATABASE_VERSION, DATABASE_NEWER, DATABASE_READ_ONLY, DATABASE_RIGHTS, DATABASE_UNREACHABLE
 */
export async function migrate(
  { name }: Postgres,
  session: Session,
  schema: Schema,
  { contract = false } = {},
): Promise<readonly SchemaStep[]> {
  await requireVersion(name, session);
  await session.run(`BEGIN; ${lockMigrations}`);
  try {
    if ((await readFound(session, schema)) === undefined)
      for (const sql of stateTables) await session.run(sql);
    const found = await requireOurs(name, session, schema);
    const steps = found.steps.filter(({ kind }) => kind === 'expand' || contract);
    for (const { sql } of steps) await session.run(sql);
    // Programs that do not know what was dropped must not come back.
    const needed = steps.some(({ kind }) => kind === 'contract') ? schema.number : found.minSchema;
    const raised = Math.max(found.schema, schema.number);
    if (raised > found.schema || needed > found.minSchema)
      await session.query('UPDATE replica_state SET schema = $1, min_schema = $2', [raised, needed]);
    await session.run('COMMIT');
    return steps;
  } catch (error) {
    if (session.isOpen()) await session.run('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** @throws FeedError DATABASE_NEWER, DATABASE_SCHEMA */
async function requireOurs(database: string, session: Session, schema: Schema): Promise<Found> {
  const found = await readFound(session, schema);
  if (found === undefined)
    throw new FeedError('DATABASE_SCHEMA', { database, problem: 'its state has no row' });
  if (found.minSchema > schema.number)
    throw new FeedError('DATABASE_NEWER', { database, needed: found.minSchema, known: schema.number });
  // An older program must not drop what a newer one has added.
  return found.schema > schema.number
    ? { ...found, steps: found.steps.filter(({ kind }) => kind === 'expand') }
    : found;
}

/** @throws FeedError DATABASE_VERSION */
async function requireVersion(database: string, session: Session): Promise<void> {
  const [[version, text] = []] = await session.query(
    "SELECT current_setting('server_version_num')::int, current_setting('server_version')",
  );
  if (Number(version) < 150_000) throw new FeedError('DATABASE_VERSION', { database, found: String(text) });
}

export async function readFound(session: Session, schema: Schema): Promise<Found | undefined> {
  const rows = (await session.query(
    `SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
       AND (obj_description(c.oid, 'pg_class') = '${mark}' OR c.relname = 'replica_state')`,
  )) as readonly (readonly [string, string])[];
  const columns = new Map<string, Set<string>>();
  for (const [table, column] of rows) columns.set(table, (columns.get(table) ?? new Set()).add(column));
  if (!columns.delete('replica_state')) return undefined;
  const [state] = await session.query('SELECT revision, schema, min_schema FROM replica_state');
  if (state === undefined) return undefined;
  const [revision, found, minSchema] = state.map(Number);
  return {
    revision: revision ?? 0,
    schema: found ?? 0,
    minSchema: minSchema ?? 0,
    steps: stepsTo(schema, columns),
  };
}
