import { statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { FeedError, fail } from '../errors.ts';
import { migrations } from './migrations.ts';
import { defineTextFunctions } from './text-functions.ts';

export type Connection = Database.Database;

/** SQLite's own; the operating system keeps the rest of the file at hand. */
const cacheKilobytes = 16_384;

/** Up to this size the whole file is looked through at each start, in less than a quarter of a second. */
const alwaysCheckedBytes = 64 * 1024 ** 2;

/** How long a statement waits for another process (a backup, a verb of the operator) before it fails. */
const busyTimeoutMs = 10_000;

/**
 * Opens the database and brings it to the newest schema. The caller closes it.
 * @throws FeedError CATALOG_DAMAGED when it is no sound database, CATALOG_NEWER when a newer program wrote it
 */
export function openDatabase(file: string): Connection {
  let db: Connection | undefined;
  try {
    const mustCheck = isSmall(file) || wasCutOff(file);
    db = new Database(file, { timeout: busyTimeoutMs });
    db.pragma('journal_mode = WAL');
    // An answered publication survives a power cut: the WAL is on disk before a commit returns. macOS flushes
    // the drive's own cache only with fullfsync, which means nothing elsewhere.
    db.pragma('synchronous = FULL');
    db.pragma('fullfsync = ON');
    db.pragma('foreign_keys = ON');
    db.pragma(`cache_size = -${cacheKilobytes}`);
    if (mustCheck) checkPages(db, file);
    migrate(db, file);
    defineTextFunctions(db);
    return db;
  } catch (error) {
    db?.close();
    throw asFeedError(error, file);
  }
}

function isSmall(file: string): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) <= alwaysCheckedBytes;
}

/** Whoever closes the database as the last one removes its write-ahead log; one with content is left by a crash. */
function wasCutOff(file: string): boolean {
  return (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** Looks at every page, which takes seconds where there are 165,000 versions. */
function checkPages(db: Connection, file: string): void {
  const problem = db.pragma('quick_check(1)', { simple: true });
  if (problem !== 'ok') fail('CATALOG_DAMAGED', { file, problem: String(problem) });
}

/**
 * A write of statistics, which waits for no disk: a power cut may take the last of them and nothing else, since the next
 * durable commit brings all before it to the disk, too. Where the process dies alone, nothing is lost.
 */
export function withoutWaiting<T>(db: Connection, write: () => T): T {
  db.pragma('synchronous = NORMAL');
  try {
    return write();
  } finally {
    db.pragma('synchronous = FULL');
  }
}

/** A write whose failure for want of room is told as such. @throws FeedError STORAGE_FULL */
export function durably<T>(write: () => T): T {
  try {
    return write();
  } catch (error) {
    const isFull = error instanceof Database.SqliteError && error.code === 'SQLITE_FULL';
    throw isFull ? new FeedError('STORAGE_FULL', {}, error) : error;
  }
}

function migrate(db: Connection, file: string): void {
  const upgrade = db.transaction(() => {
    const found = Number(db.pragma('user_version', { simple: true }));
    if (found > migrations.length) fail('CATALOG_NEWER', { file, found, known: migrations.length });
    for (const step of migrations.slice(found)) db.exec(step);
    db.pragma(`user_version = ${migrations.length}`);
  });
  upgrade.immediate();
}

const damage = new Set(['SQLITE_NOTADB', 'SQLITE_CORRUPT']);

function asFeedError(error: unknown, file: string): unknown {
  if (error instanceof FeedError || !(error instanceof Database.SqliteError)) return error;
  if (![...damage].some((code) => error.code.startsWith(code))) return error;
  return new FeedError('CATALOG_DAMAGED', { file, problem: error.message }, error);
}
