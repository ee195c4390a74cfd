import Database from 'better-sqlite3';
import { messageOf } from '../../formats/thrown.ts';
import { FeedError, fail } from '../errors.ts';
import { type Connection, createConnection, refuseNewer } from './connection.ts';
import { isDatabaseFull } from './file-problem.ts';

const busyTimeoutMs = 30_000;

/**
 * Copies the database to `copy` in one step of SQLite's online backup, so that the copy is of one moment even while a server
 * writes.
 * @throws FeedError NO_FEED, CATALOG_DAMAGED, STORAGE_FULL
 */
export async function copyDatabase(file: string, copy: string): Promise<void> {
  const source = openSource(file);
  try {
    await source.backup(copy, { progress: () => 0x7fffffff });
  } catch (error) {
    if (isDatabaseFull(error)) throw new FeedError('STORAGE_FULL', {}, error);
    fail('CATALOG_DAMAGED', { file, problem: messageOf(error) }, error);
  } finally {
    source.close();
  }
}

function openSource(file: string): Database.Database {
  try {
    return new Database(file, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs });
  } catch (error) {
    return fail('NO_FEED', { file, cause: messageOf(error) }, error);
  }
}

/**
 * Opens a database that nobody else uses, with its existing schema. It stays a single file: a copy without the write-ahead log
 * next to it would be incomplete. The caller closes it.
 * @throws FeedError CATALOG_NEWER, CATALOG_DAMAGED, and what `read` throws
 */
export function openCopy<T>(file: string, read: (db: Connection) => T): T {
  const db = new Database(file, { fileMustExist: true });
  try {
    db.pragma('journal_mode = DELETE');
    refuseNewer(db, file);
    return read(createConnection(db));
  } catch (error) {
    db.close();
    if (!(error instanceof Database.SqliteError)) throw error;
    if (isDatabaseFull(error)) throw new FeedError('STORAGE_FULL', {}, error);
    return fail('CATALOG_DAMAGED', { file, problem: error.message }, error);
  }
}

/**
 * Reads a database that a server may be using, without its lock; the schema may be that of another version.
 * @throws FeedError NO_FEED, CATALOG_DAMAGED, and what `read` throws
 */
export async function readBeside<T>(file: string, read: (db: Connection) => Promise<T>): Promise<T> {
  const db = openSource(file);
  try {
    return await read(createConnection(db));
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error;
    return fail('CATALOG_DAMAGED', { file, problem: error.message }, error);
  } finally {
    db.close();
  }
}

/** Reads a database that nobody writes to and that may be damaged; undefined when it cannot be read. */
export function readLeftDatabase<T>(
  file: string,
  read: (db: Pick<Connection, 'prepare'>) => T,
): T | undefined {
  let db: Database.Database | undefined;
  try {
    db = new Database(file, { readonly: true, fileMustExist: true });
    return read(createConnection(db));
  } catch (error) {
    // Damage is ignored, since a restore is how to repair it.
    if (error instanceof Database.SqliteError) return undefined;
    throw error;
  } finally {
    db?.close();
  }
}
