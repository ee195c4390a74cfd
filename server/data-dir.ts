import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type Closed, closeToOthers } from './data-modes.ts';
import { lockFile } from './database/file-lock.ts';
import { fileProblem, isDatabaseFull } from './database/file-problem.ts';
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
  /** Releases the lock. */
  release(): void;
};

export function pathsIn(dir: string): DataPaths {
  return { database: join(dir, 'catalog.db'), blobs: join(dir, 'blobs'), bucket: join(dir, 'bucket') };
}

/**
 * Creates the folder if missing, closes it to other users and takes its lock.
 * @throws FeedError DATA_DIR_UNUSABLE, DATA_DIR_FULL, DATA_DIR_OPEN, DATA_DIR_IN_USE, DATABASE_DRIVER
 */
export function openDataDir(dir: string): DataDir {
  try {
    // It contains keys and unlisted packages, which nobody else needs to read. Windows ignores the mode.
    makeFolders(dir, 0o700);
    // A new file with a name that nobody can guess: in a folder that was open, any other name might be a link.
    const probe = join(dir, `.write-${randomUUID()}`);
    closeSync(openSync(probe, 'wx'));
    rmSync(probe);
  } catch (error) {
    throw unusable(dir, reasonOf(error), error);
  }
  const modes = closeToOthers(dir);
  const release = takeLock(dir);
  return { ...pathsIn(dir), modes, release };
}

/**
 * While anybody reads, no blob is removed, so that a backup finds the bytes of all rows that it has read. Returns the function
 * that releases the lock, or undefined when the other kind of use holds it. The lock ends with the process.
 * @throws FeedError DATA_DIR_UNUSABLE
 */
export function lockBlobs(dir: string, use: 'reading' | 'removing', timeoutMs = 0): (() => void) | undefined {
  try {
    return lockFile(join(dir, 'reading.lock'), use === 'reading' ? 'shared' : 'alone', timeoutMs);
  } catch (error) {
    throw lockError(error, dir);
  }
}

/**
 * Node's own recursive mkdir spins forever where a file system answers ENOENT to every new folder, as /proc does; making the
 * first missing folder alone fails at once there.
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

function takeLock(dir: string): () => void {
  const pidFile = join(dir, 'lock.pid');
  const unlock = lockOf(dir) ?? fail('DATA_DIR_IN_USE', { dir, pid: readPid(pidFile) });
  try {
    writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    unlock();
    throw asDataDirError(error, dir);
  }
  return () => {
    rmSync(pidFile, { force: true });
    unlock();
  };
}

function lockOf(dir: string): (() => void) | undefined {
  try {
    return lockFile(join(dir, 'lock'), 'alone');
  } catch (error) {
    throw lockError(error, dir);
  }
}

function lockError(error: unknown, dir: string): FeedError {
  if (error instanceof FeedError) return error;
  const problem = fileProblem(error);
  const cause = problem === undefined ? reasonOf(error) : `the lock ${problem}`;
  return unusable(dir, cause, error);
}

function unusable(dir: string, cause: string, error: unknown): FeedError {
  return cause.includes(reasons.ENOSPC)
    ? new FeedError('DATA_DIR_FULL', { dir }, error)
    : new FeedError('DATA_DIR_UNUSABLE', { dir, cause }, error);
}

function readPid(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    // It is written a moment after the lock is taken, and only helps to find the other process.
    return 'unknown';
  }
}

/**
 * Turns a system error about a file in the data folder into an error about the folder: often another user created it. Returns any
 * other error unchanged.
 */
export function asDataDirError(error: unknown, dir: string): unknown {
  if (error instanceof FeedError && error.code === 'GIT_FAILED' && error.cause instanceof Error) {
    // Before the server runs there is no log to look into. Git does not always say that there is no room.
    const cause = hasRoom(dir) ? error.cause.message.replace(/\s+/g, ' ') : reasons.ENOSPC;
    return unusable(dir, cause, error);
  }
  if (!(error instanceof Error) || !('code' in error)) {
    return error;
  }
  const path = 'path' in error ? String(error.path) : '';
  const isFull = error.code === 'STORAGE_FULL' || isDatabaseFull(error);
  const problem = isFull ? reasons.ENOSPC : databaseProblem(error);
  if (problem !== undefined) {
    return unusable(dir, problem, error);
  }
  return path.startsWith(dir) ? unusable(dir, `${reasonOf(error)} (${path})`, error) : error;
}

/** False where not even a small file can be written. */
function hasRoom(dir: string): boolean {
  const { bavail, bsize } = statfsSync(dir);
  return bavail * bsize >= 64 * 1024;
}

function databaseProblem(error: unknown): string | undefined {
  const problem = fileProblem(error);
  return problem && `the database catalog.db ${problem}`;
}

const reasons = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the disk',
  ENOTDIR: 'a file stands where a folder is needed',
  EEXIST: 'a file stands where a folder is needed',
  EISDIR: 'a folder stands where a file is needed',
} satisfies Record<string, string>;

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  const code = 'code' in error ? String(error.code) : '';
  return Object.hasOwn(reasons, code) ? reasons[code as keyof typeof reasons] : error.message;
}
