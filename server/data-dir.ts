import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { type Closed, closeToOthers } from './data-modes.ts';
import { driverError, isDriverError } from './database/driver.ts';
import { FeedError, fail } from './errors.ts';

/**
 * What lies in DATA_DIR:
 *
 *     catalog.db      packages, payloads, keys (SQLite, with -wal and -shm beside it)
 *     blobs/          bytes by their SHA-256
 *     bucket/         the git repository and its two views
 *     start.key       the first key, made by `start`
 *     server.json     where the running server is, for the operator's verbs (server-file.ts)
 *     lock            held by the running server; lock.pid says who
 *     reading.lock    shared by those who read beside the server, alone by who removes blobs
 */
export type DataPaths = { readonly database: string; readonly blobs: string; readonly bucket: string };
export type DataDir = DataPaths & {
  readonly modes: Closed;
  /** Gives the lock back. */
  release(): void;
};

export function pathsIn(dir: string): DataPaths {
  return { database: join(dir, 'catalog.db'), blobs: join(dir, 'blobs'), bucket: join(dir, 'bucket') };
}

/**
 * Makes the folder when it is missing, closes it to other users and takes its lock.
 * @throws FeedError DATA_DIR_UNUSABLE, DATA_DIR_OPEN, DATA_DIR_IN_USE, DATABASE_DRIVER
 */
export function openDataDir(dir: string): DataDir {
  try {
    // Keys and unlisted packages are in it: nobody else needs to read it. Windows ignores the mode.
    makeFolders(dir, 0o700);
    // A new file under a name that nobody can guess: in a folder that was open, a link may wait under any other.
    const probe = join(dir, `.write-${randomUUID()}`);
    closeSync(openSync(probe, 'wx'));
    rmSync(probe);
  } catch (error) {
    fail('DATA_DIR_UNUSABLE', { dir, cause: reasonOf(error) }, error);
  }
  const modes = closeToOthers(dir);
  const release = takeLock(dir);
  return { ...pathsIn(dir), modes, release };
}

/**
 * While anybody reads, no blob is removed: a backup that has read the rows finds their bytes. Answers with the function
 * that gives the lock back, or undefined when the other kind of use holds it. It ends with the process.
 * @throws FeedError DATA_DIR_UNUSABLE
 */
export function lockBlobs(dir: string, use: 'reading' | 'removing', timeoutMs = 0): (() => void) | undefined {
  const lock = openLock(dir, 'reading.lock', timeoutMs);
  try {
    // A transaction that has read holds SQLite's shared lock until it ends.
    lock.exec(use === 'reading' ? 'BEGIN; SELECT count(*) FROM sqlite_schema' : 'BEGIN EXCLUSIVE');
    return () => lock.close();
  } catch (error) {
    lock.close();
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY'))
      return undefined;
    return fail('DATA_DIR_UNUSABLE', { dir, cause: reasonOf(error) }, error);
  }
}

/**
 * Node's own recursive mkdir spins for ever where a file system answers ENOENT to every new folder, as /proc does; the
 * first missing folder made by itself fails at once there.
 */
function makeFolders(dir: string, mode: number): void {
  let first = dir;
  while (dirname(first) !== first && !existsSync(dirname(first))) {
    first = dirname(first);
  }
  if (!existsSync(first)) {
    mkdirSync(first, { mode });
  }
  mkdirSync(dir, { recursive: true, mode });
}

/**
 * The lock is SQLite's own, held by an open transaction: it works the same on every system and ends with the process,
 * however that ends. A file that only exists could only be guessed to be stale after a kill -9.
 */
function takeLock(dir: string): () => void {
  const pidFile = join(dir, 'lock.pid');
  const lock = openLock(dir, 'lock', 0);
  try {
    // The write is what takes the lock: on a file that may only be read, BEGIN EXCLUSIVE alone succeeds and locks nothing.
    lock.exec('BEGIN EXCLUSIVE; PRAGMA user_version = 1');
  } catch (error) {
    lock.close();
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code.startsWith('SQLITE_BUSY')) {
      fail('DATA_DIR_IN_USE', { dir, pid: readPid(pidFile) }, error);
    }
    const isForbidden = code.startsWith('SQLITE_READONLY');
    const cause = isForbidden ? 'the lock may not be written by this user' : reasonOf(error);
    fail('DATA_DIR_UNUSABLE', { dir, cause }, error);
  }
  try {
    writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    lock.close();
    throw asDataDirError(error, dir);
  }
  return () => {
    rmSync(pidFile, { force: true });
    lock.close();
  };
}

function openLock(dir: string, name: string, timeoutMs: number): Database.Database {
  const file = join(dir, name);
  try {
    // Who may read it can hold it, too.
    if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
    return new Database(file, { timeout: timeoutMs });
  } catch (error) {
    if (isDriverError(error)) throw driverError(error);
    return fail('DATA_DIR_UNUSABLE', { dir, cause: reasonOf(error) }, error);
  }
}

function readPid(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    // It is written a moment after the lock is taken, and only helps to find the other one.
    return 'unknown';
  }
}

/**
 * What the system says of a file in the data folder, as an error of the folder: often another user began it. Any other
 * error stays what it is.
 */
export function asDataDirError(error: unknown, dir: string): unknown {
  if (error instanceof FeedError && error.code === 'GIT_FAILED' && error.cause instanceof Error) {
    // Before the server runs there is no log to look into.
    return new FeedError(
      'DATA_DIR_UNUSABLE',
      { dir, cause: error.cause.message.replace(/\s+/g, ' ') },
      error,
    );
  }
  if (!(error instanceof Error) || !('code' in error)) {
    return error;
  }
  const path = 'path' in error ? String(error.path) : '';
  const database = databaseReasons[/^SQLITE_[A-Z]+/.exec(String(error.code))?.[0] ?? ''];
  if (database !== undefined) {
    return new FeedError('DATA_DIR_UNUSABLE', { dir, cause: database }, error);
  }
  return path.startsWith(dir)
    ? new FeedError('DATA_DIR_UNUSABLE', { dir, cause: `${reasonOf(error)} (${path})` }, error)
    : error;
}

const databaseReasons: Readonly<Record<string, string>> = {
  SQLITE_CANTOPEN: 'the database catalog.db cannot be opened',
  SQLITE_READONLY: 'the database catalog.db may not be written by this user',
  SQLITE_PERM: 'the database catalog.db may not be written by this user',
  SQLITE_FULL: 'no room left on the disk',
};

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no room left on the disk',
  ENOTDIR: 'a file stands where a folder is needed',
  EEXIST: 'a file stands where a folder is needed',
  EISDIR: 'a folder stands where a file is needed',
};

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  const code = 'code' in error ? String(error.code) : '';
  return reasons[code] ?? error.message;
}
