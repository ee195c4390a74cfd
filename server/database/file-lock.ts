import { closeSync, existsSync, openSync } from 'node:fs';
import Database from 'better-sqlite3';
import { driverError, isDriverError } from './driver.ts';

/** `alone`: nobody else holds it in any way. It ends with the process, however that ends. */
const begin = {
  // A transaction that has read holds SQLite's shared lock until it ends.
  shared: 'BEGIN; SELECT count(*) FROM sqlite_schema',
  // The write is what takes the lock: on a file that may only be read, BEGIN EXCLUSIVE alone succeeds and locks nothing.
  alone: 'BEGIN EXCLUSIVE; PRAGMA user_version = 1',
} as const;

/**
 * Takes SQLite's own lock on a file, which works the same on every system: a file that only exists would have to be judged
 * stale after a kill -9. Returns the function that gives it back, or undefined when it is held otherwise for `timeoutMs`.
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
  // Whoever may read it can hold it, too.
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
  try {
    return new Database(file, { timeout: timeoutMs });
  } catch (error) {
    throw isDriverError(error) ? driverError(error) : error;
  }
}
