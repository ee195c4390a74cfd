import { randomUUID } from 'node:crypto';
import type { Connection } from '../database/connection.ts';
import { FeedError, fail } from '../errors.ts';
import { newestSchema } from './migrate-database.ts';
import { openPostgres, type Session } from './postgres.ts';
import { type Row, toJson, writeSql } from './rows.ts';
import { migrate } from './schema.ts';
import type { Table } from './tables.ts';

/** An empty PostgreSQL database that is to become a feed. */
export type EmptyDatabase = {
  /** For people: without user and password. */
  readonly name: string;
  /**
   * Gives it all shared rows of a SQLite database, in one transaction. Servers that run on it already go over to them.
   * @throws FeedError DATABASE_FILLED, DATABASE_UNREACHABLE, and DATABASE_UNSURE when the connection breaks in the last moment
   */
  fill(local: Pick<Connection, 'prepare'>): Promise<void>;
};

/** In one statement: characters of JSON, and rows. */
const charactersAtOnce = 2_000_000;
const rowsAtOnce = 2_000;

/** Makes the tables if they are missing. @throws FeedError DATABASE_FILLED, and those of `migrate` */
export async function openEmptyDatabase(url: string): Promise<EmptyDatabase> {
  const postgres = await openPostgres(url);
  const { name } = postgres;
  const schema = newestSchema();

  async function connected<Answer>(work: (session: Session) => Promise<Answer>): Promise<Answer> {
    const session = await postgres.connect();
    try {
      return await work(session);
    } finally {
      session.close();
    }
  }

  await connected(async (session) => {
    await migrate(postgres, session, schema);
    await requireEmpty(name, session, schema.tables);
  });
  return {
    name,
    fill: ({ prepare }) =>
      connected(async (session) => {
        // Reading rows takes its time, and so does writing them all.
        await session.run(`BEGIN; SET LOCAL idle_in_transaction_session_timeout = '60s'`);
        const [[revision] = []] = await session.query('SELECT revision FROM replica_state FOR UPDATE');
        await requireEmpty(name, session, schema.tables);
        for (const table of schema.tables) {
          const rows = prepare(`SELECT * FROM "${table.name}"`).iterate() as Iterable<
            Record<string, unknown>
          >;
          for (const part of inParts(table, rows)) {
            const values: unknown[] = [];
            const [sql = ''] = writeSql({ table, keys: [], rows: part }, values);
            await session.query(sql, values);
          }
        }
        const commit = [Number(revision) + 1, randomUUID()];
        await session.query('UPDATE replica_state SET revision = $1, token = $2', commit);
        // Without a list of changes everybody copies everything.
        const insert = 'INSERT INTO replica_commits (revision, token, changes) VALUES ($1, $2, NULL)';
        await session.query(insert, commit);
        await session.run('COMMIT').catch((error: unknown) => {
          const isAway = error instanceof FeedError && error.code === 'DATABASE_UNREACHABLE';
          throw isAway ? new FeedError('DATABASE_UNSURE', {}, error) : error;
        });
      }),
  };
}

async function requireEmpty(database: string, session: Session, tables: readonly Table[]): Promise<void> {
  const questions = tables.map(({ name }) => `SELECT '${name}' WHERE EXISTS (SELECT 1 FROM "${name}")`);
  const found = await session.query(questions.join(' UNION ALL '));
  if (found.length > 0) fail('DATABASE_FILLED', { database, tables: found.map(([name]) => name).join(', ') });
}

function* inParts({ columns }: Table, rows: Iterable<Record<string, unknown>>): Generator<Row[]> {
  let part: Row[] = [];
  let characters = 0;
  for (const raw of rows) {
    const row = Object.fromEntries(columns.map(({ name }) => [name, toJson(raw[name])]));
    part.push(row);
    characters += Object.values(row).reduce<number>((sum, value) => sum + String(value).length, 0);
    if (part.length < rowsAtOnce && characters < charactersAtOnce) continue;
    yield part;
    part = [];
    characters = 0;
  }
  if (part.length > 0) yield part;
}
