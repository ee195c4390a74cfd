import type { Connection } from '../database/connection.ts';
import { insertRows, rollBack } from './copy.ts';
import type { Session } from './postgres.ts';
import { rowOf } from './rows.ts';
import type { Schema } from './schema.ts';
import type { Table } from './tables.ts';

/** Rows for one round trip: some megabytes of texts at most. */
const rowsAtOnce = 2_000;

/**
 * Replaces everything in a copy by what the database has, as of one moment. `copy` is a connection of its own, so that those who
 * read go on with the old state until all of it is there; nobody else may write meanwhile. `copied` is called in the turn in which it
 * is there.
 */
export async function copyEverything(
  session: Session,
  copy: Connection,
  { number, tables }: Schema,
  copied: () => void,
): Promise<number> {
  // Between two parts the rows of the one before are written here, as long as that takes.
  await session.run('SET idle_in_transaction_session_timeout = 0');
  await session.run('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const [[id, revision, token] = []] = await session.query('SELECT id, revision, token FROM replica_state');
  const { exec, prepare, pragma } = copy;
  // Nothing of a purged text is left in free pages.
  pragma('secure_delete = ON');
  pragma('synchronous = NORMAL');
  // Otherwise each text that goes is looked for in all packages.
  pragma('foreign_keys = OFF');
  exec('BEGIN IMMEDIATE');
  try {
    // The audit log lets nobody delete its entries, but those who fill a new file.
    const kept = prepare("SELECT sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name")
      .pluck()
      .all() as string[];
    const names = prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all() as string[];
    for (const name of names) exec(`DROP TRIGGER "${name}"`);
    for (const table of tables) {
      exec(`DELETE FROM "${table.name}"`);
      await copyTable(session, copy, table);
    }
    for (const sql of kept) exec(sql);
    exec('DELETE FROM replica_copy');
    const mark = 'INSERT INTO replica_copy (database, revision, token, schema) VALUES (?, ?, ?, ?)';
    prepare(mark).run(String(id), Number(revision), String(token), number);
    prepare('UPDATE state SET revision = revision + 1').run();
    // It has only read.
    await session.run('COMMIT').catch(() => undefined);
    exec('COMMIT');
    copied();
  } catch (error) {
    rollBack(copy);
    throw error;
  }
  return Number(revision);
}

async function copyTable(session: Session, copy: Connection, table: Table): Promise<void> {
  const columns = table.columns.map(({ name }) => `"${name}"`).join(', ');
  const order = table.key.map(({ name }) => `"${name}"`).join(', ');
  const fetch = `FETCH ${rowsAtOnce} FROM everything`;
  const select = `SELECT ${columns} FROM "${table.name}" ORDER BY ${order}`;
  // One round trip for each of the many tables that have few rows.
  let rows = await session.run(`CLOSE ALL; DECLARE everything NO SCROLL CURSOR FOR ${select}; ${fetch}`);
  for (;;) {
    insertRows(
      copy,
      table,
      rows.map((values) => rowOf(table, values)),
    );
    if (rows.length < rowsAtOnce) break;
    rows = await session.run(fetch);
  }
}
