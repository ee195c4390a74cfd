import { closeSync, existsSync, openSync } from 'node:fs';
import Database from 'better-sqlite3';
import { driverError, isDriverError } from './driver.ts';

/** `alone`: nobody else holds the lock in any way. The lock ends with the process, however that ends. */
const begin = {
  // A transaction that has read holds SQLite's shared lock until it ends.
  shared: 'BEGIN; SELECT count(*) FROM sqlite_schema',
  // The write is what takes the lock: on a read-only file, BEGIN EXCLUSIVE alone succeeds and locks nothing.
  alone: 'BEGIN EXCLUSIVE; PRAGMA user_version = 1',
} as const;

/**
 * Takes SQLite's own lock on a file, which works the same on every system; a lock that is a mere file could be stale after a kill
 * -9. Returns the function that releases it, or undefined when somebody else holds it for `timeoutMs`.
 * @throws FeedError DATABASE_DRIVER, and the errors of SQLite and of the file system
 */
export function lockFile(file: string, use: keyof typeof begin, timeoutMs = 0): (() => void) | undefined {
  const lock = openLock(file, timeoutMs);
  try {
    lock.exec(begin[use]);
    return () => void lock.close();
  } catch (error) {
    lock.close();
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) return undefined;
    throw error;
  }
}

function openLock(file: string, timeoutMs: number): Database.Database {
  // Anybody who may read the file can lock it.
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
  try {
    return new Database(file, { timeout: timeoutMs });
  } catch (error) {
    throw isDriverError(error) ? driverError(error) : error;
  }
}
