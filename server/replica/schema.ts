import { setTimeout as delay } from 'node:timers/promises';
import { FeedError, fail } from '../errors.ts';
import type { Postgres, Session } from './postgres.ts';
import {
  type FoundColumn,
  type FoundTables,
  mark,
  type Schema,
  type SchemaStep,
  stepsTo,
} from './schema-steps.ts';

export type { Schema, SchemaStep } from './schema-steps.ts';

/**
 * `id`: another one for each database, so that no copy is taken for one of another. `token`: another one for each commit, for a
 * database that goes back to an older state (a restored dump, a standby that lacked something) counts on from there.
 */
const stateTables = [
  `CREATE TABLE replica_state (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    id         text NOT NULL,
    revision   bigint NOT NULL,
    token      text NOT NULL,
    schema     bigint NOT NULL,
    min_schema bigint NOT NULL
  )`,
  // changes: JSON, the keys by table; NULL: more than a list can say, and everything has to be copied.
  `CREATE TABLE replica_commits (
    revision bigint PRIMARY KEY,
    token    text NOT NULL,
    at       timestamptz NOT NULL DEFAULT now(),
    changes  text
  )`,
  `COMMENT ON TABLE replica_state IS '${mark}'`,
  `COMMENT ON TABLE replica_commits IS '${mark}'`,
  `INSERT INTO replica_state (id, revision, token, schema, min_schema)
    VALUES (gen_random_uuid()::text, 0, gen_random_uuid()::text, 0, 0)`,
  'INSERT INTO replica_commits (revision, token) SELECT revision, token FROM replica_state',
];
const stateNames = ['replica_state', 'replica_commits'];

/** Two programs that migrate at once do not get into each other's way. The number is this program's own. */
const lockMigrations = 'SELECT pg_advisory_xact_lock(7265746)';
/**
 * While a step waits for a table that somebody reads (a replica copies everything, a dump is made), everybody else waits behind
 * it: it lets them pass and tries again.
 */
const stepWaitMs = 500;
const pauseMs = 500;
const patienceMs = 30_000;

export type Migration = {
  /** Steps that were taken, or would be. */
  readonly steps: readonly SchemaStep[];
  /** Steps that `contract` would take, too. */
  readonly left: readonly SchemaStep[];
  /** The newest schema of any program that migrated the database before. */
  readonly schema: number;
};

export type MigrateOptions = {
  /** Take contracting steps too: programs of before cannot use the database afterwards. */
  readonly contract?: boolean;
  /** Only find out what would be done. */
  readonly isDry?: boolean;
  readonly patienceMs?: number;
};

/**
 * Takes the expanding steps that are missing, in one transaction; with `contract` the contracting ones too.
 * @throws FeedError DATABASE_VERSION, DATABASE_ENCODING, DATABASE_NEWER, DATABASE_READ_ONLY, DATABASE_RIGHTS, DATABASE_SCHEMA,
 *   DATABASE_LOCKED, DATABASE_UNREACHABLE
 */
export async function migrate(
  { name }: Pick<Postgres, 'name'>,
  session: Session,
  schema: Schema,
  options: MigrateOptions = {},
): Promise<Migration> {
  await requireUsable(name, session);
  const found = await requireOurs(name, session, schema);
  const planned = plan(found, schema, options);
  const isDone = found !== undefined && planned.steps.length === 0 && found.schema >= schema.number;
  if (isDone || options.isDry) return planned;
  const since = performance.now();
  for (;;) {
    try {
      return await migrateNow(name, session, schema, options);
    } catch (error) {
      if (session.isOpen()) await session.run('ROLLBACK').catch(() => undefined);
      const isLocked = error instanceof FeedError && error.code === 'DATABASE_LOCKED';
      if (!isLocked || performance.now() - since > (options.patienceMs ?? patienceMs)) throw error;
    }
    await delay(pauseMs);
  }
}

async function migrateNow(
  name: string,
  session: Session,
  schema: Schema,
  options: MigrateOptions,
): Promise<Migration> {
  await session.run(`BEGIN; ${lockMigrations}`);
  await session.run(`SET LOCAL lock_timeout = ${stepWaitMs}`);
  if (await hasTables(session)) {
    // Whoever commits holds this row, and then needs the tables: the same order excludes a deadlock.
    await session.run('SELECT 1 FROM replica_state FOR UPDATE');
  } else {
    await requireOurs(name, session, schema);
    for (const sql of stateTables) await session.run(sql);
  }
  const found = (await requireOurs(name, session, schema)) ?? neverMigrated(name);
  const planned = plan(found, schema, options);
  for (const { sql } of planned.steps) await session.run(sql);
  // Programs that do not know what was dropped must not come back.
  const needed = planned.steps.some(({ kind }) => kind === 'contract') ? schema.number : found.minSchema;
  const raised = Math.max(found.schema, schema.number);
  if (raised > found.schema || needed > found.minSchema)
    await session.query('UPDATE replica_state SET schema = $1, min_schema = $2', [raised, needed]);
  await session.run('COMMIT');
  return planned;
}

function neverMigrated(database: string): never {
  return fail('DATABASE_SCHEMA', { database, problem: 'the table replica_state vanished' });
}

function plan(found: Found | undefined, schema: Schema, { contract = false }: MigrateOptions): Migration {
  const all = stepsTo(schema, found?.tables ?? new Map());
  // An older program must not drop what a newer one has added.
  const allowed = all.filter(({ kind }) => kind === 'expand' || (found?.schema ?? 0) <= schema.number);
  return {
    steps: allowed.filter(({ kind }) => kind === 'expand' || contract),
    left: contract ? [] : allowed.filter(({ kind }) => kind === 'contract'),
    schema: found?.schema ?? 0,
  };
}

/** @throws FeedError DATABASE_VERSION, DATABASE_ENCODING, DATABASE_READ_ONLY */
async function requireUsable(database: string, session: Session): Promise<void> {
  const [[version, text, encoding, readOnly] = []] = await session.query(
    `SELECT current_setting('server_version_num')::int, current_setting('server_version'),
       current_setting('server_encoding'), current_setting('transaction_read_only')`,
  );
  if (Number(version) < 150_000) fail('DATABASE_VERSION', { database, found: String(text) });
  if (encoding !== 'UTF8') fail('DATABASE_ENCODING', { database, found: String(encoding) });
  if (readOnly === 'on') fail('DATABASE_READ_ONLY', { database });
}

/** What a database has of our tables. */
type Found = { readonly schema: number; readonly minSchema: number; readonly tables: FoundTables };

/**
 * Undefined for a database without our tables.
 * @throws FeedError DATABASE_NEWER, DATABASE_SCHEMA, DATABASE_RIGHTS
 */
async function requireOurs(database: string, session: Session, schema: Schema): Promise<Found | undefined> {
  const names = [...stateNames, ...schema.tables.map(({ name }) => name)];
  const [[foreign] = []] = await session.query(
    `SELECT c.relname FROM pg_class c
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY ($1)
       AND obj_description(c.oid, 'pg_class') IS DISTINCT FROM '${mark}' ORDER BY 1`,
    [names],
  );
  if (foreign !== undefined)
    fail('DATABASE_SCHEMA', { database, problem: `${foreign} is a table of another program` });
  if (!(await hasTables(session))) return undefined;
  await requireRights(database, session);
  const [state] = await session.query('SELECT schema, min_schema FROM replica_state');
  if (state === undefined) fail('DATABASE_SCHEMA', { database, problem: 'replica_state has no row' });
  const [found = 0, minSchema = 0] = (state ?? []).map(Number);
  if (minSchema > schema.number)
    fail('DATABASE_NEWER', { database, needed: minSchema, known: schema.number });
  return { schema: found, minSchema, tables: await readTables(session) };
}

/** Whether a database has the tables of a feed, of whichever schema. */
export async function hasTables(session: Session): Promise<boolean> {
  const found = await session.query(`${ourTables} AND c.relname = 'replica_state'`);
  return found.length > 0;
}

const ourTables = `SELECT c.relname FROM pg_class c
  WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND obj_description(c.oid, 'pg_class') = '${mark}'`;

/** Reading alone would work at first, and the first push would fail. @throws FeedError DATABASE_RIGHTS */
async function requireRights(database: string, session: Session): Promise<void> {
  const may = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'].map(
    (right) => `has_table_privilege(c.oid, '${right}')`,
  );
  const [[table] = []] = await session.query(`${ourTables} AND NOT (${may.join(' AND ')}) ORDER BY 1`);
  if (table !== undefined)
    fail('DATABASE_RIGHTS', { database, cause: `it may not read and change the table ${table}` });
}

async function readTables(session: Session): Promise<FoundTables> {
  const rows = (await session.query(
    `SELECT c.relname, a.attname, format_type(a.atttypid, NULL), a.attnotnull, a.atthasdef
     FROM (${ourTables}) ours JOIN pg_class c ON c.relname = ours.relname AND c.relnamespace = current_schema()::regnamespace
       JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE a.attnum > 0 AND NOT a.attisdropped`,
  )) as readonly (readonly [string, string, string, boolean, boolean])[];
  const tables = new Map<string, Map<string, FoundColumn>>();
  for (const [table, column, type, isRequired, hasStandard] of rows) {
    if (stateNames.includes(table)) continue;
    const columns = tables.get(table) ?? new Map<string, FoundColumn>();
    tables.set(table, columns.set(column, { type, isRequired, hasStandard }));
  }
  return tables;
}
