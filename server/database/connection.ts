import { statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { FeedError, fail } from '../errors.ts';
import { createCommit } from './commit.ts';
import { createLogDurability, type Durability, durableAtOnce } from './durability.ts';
import { isDatabaseFull } from './file-problem.ts';
import type { LogCopier } from './log-copier.ts';
import { migrations } from './migrations.ts';
import { createStatements, type Prepare } from './statements.ts';
import { defineTextFunctions } from './text-functions.ts';
import { createTransact, type Transact } from './transact.ts';

/** What other servers have changed, for those who keep something of it in memory. */
export type ForeignChange = {
  /** Tables that are not as before. */
  readonly tables: ReadonlySet<string>;
  /** Those of them of which rows are gone or different, and not only more. */
  readonly replaced: ReadonlySet<string>;
  /** Those of them of which rows are gone. */
  readonly removed: ReadonlySet<string>;
  /** Ids, in lower case, of packages that are not as before; undefined: any. */
  readonly ids: readonly string[] | undefined;
  /** Ids of which only the counts of downloads are not as before. */
  readonly countedIds: readonly string[];
};

/** An open SQLite database, as the adapters use it. */
export type Connection = {
  readonly prepare: Prepare;
  readonly transact: Transact;
  /**
   * Writes statistics in one transaction without waiting for the disk. A power cut may lose the last of them but nothing else,
   * since the next durable commit also flushes everything before it. If only the process dies, nothing is lost. On one server the
   * work is done when this returns.
   */
  writeStatistics(write: () => void): Promise<void>;
  /** Calls back after changes that other servers have made, before anybody can see them; where there is one server, never. */
  onForeignChange(listener: (change: ForeignChange) => void): void;
  exec(sql: string): void;
  pragma(text: string, options?: Database.PragmaOptions): unknown;
  close(): void;
};

/** SQLite's own cache; the operating system caches the rest of the file. */
const cacheKilobytes = 16_384;

/** Up to this size the whole file is checked at each start, which takes less than a quarter of a second. */
const alwaysCheckedBytes = 64 * 1024 ** 2;

/** How long a statement waits for another process (a backup, an operator's verb) before it fails. */
const busyTimeoutMs = 10_000;

export type DatabaseOptions = {
  /** Called when the database of an earlier version got the schema of this one. */
  readonly onUpgrade?: (from: number, to: number) => void;
  /** Of a server, which closes it before the connection. */
  readonly copier?: LogCopier;
};

/**
 * Opens the database and migrates it to the newest schema. The caller closes it.
 * @throws FeedError CATALOG_DAMAGED when it is not a sound database, CATALOG_NEWER when a newer program wrote it, STORAGE_FULL
 */
export function openDatabase(file: string, { onUpgrade, copier }: DatabaseOptions = {}): Connection {
  let db: Database.Database | undefined;
  try {
    const mustCheck = isSmall(file) || wasCutOff(file);
    db = new Database(file, { timeout: busyTimeoutMs });
    const hasLog = db.pragma('journal_mode = WAL', { simple: true }) === 'wal';
    // A confirmed publication survives a power cut: the WAL is on disk before a change is confirmed (durability.ts), and before a
    // commit elsewhere returns. macOS only flushes the drive's own cache with fullfsync, which other systems ignore.
    db.pragma('synchronous = FULL');
    db.pragma('fullfsync = ON');
    db.pragma('foreign_keys = ON');
    db.pragma(`cache_size = -${cacheKilobytes}`);
    if (mustCheck) checkPages(db, file);
    const found = migrate(db, file);
    if (found > 0 && found < migrations.length) onUpgrade?.(found, migrations.length);
    defineTextFunctions(db);
    return createConnection(db, hasLog ? createLogDurability(db, file, copier) : durableAtOnce);
  } catch (error) {
    db?.close();
    throw asFeedError(error, file);
  }
}

export function createConnection(db: Database.Database, durability: Durability = durableAtOnce): Connection {
  const prepare = createStatements(db);
  const inTransaction = db.transaction((write: () => unknown) => write());
  return {
    prepare,
    transact: createTransact(prepare, createCommit(db, durability)),
    async writeStatistics(write) {
      durability.write(() => inTransaction.immediate(write));
    },
    onForeignChange: () => undefined,
    exec: (sql) => void db.exec(sql),
    pragma: (text, options) => db.pragma(text, options),
    close: () => void db.close(),
  };
}

function isSmall(file: string): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) <= alwaysCheckedBytes;
}

/** The last one to close the database removes its write-ahead log; one with content was left by a crash. */
function wasCutOff(file: string): boolean {
  return (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** Reads every page, which takes seconds with 165,000 versions. */
function checkPages(db: Database.Database, file: string): void {
  const problem = db.pragma('quick_check(1)', { simple: true });
  if (problem !== 'ok') fail('CATALOG_DAMAGED', { file, problem: String(problem) });
}

/** Returns the schema that the file had; 0 is a new one. */
function migrate(db: Database.Database, file: string): number {
  const upgrade = db.transaction(() => {
    refuseNewer(db, file);
    const found = Number(db.pragma('user_version', { simple: true }));
    for (const step of migrations.slice(found)) db.exec(step);
    db.pragma(`user_version = ${migrations.length}`);
    return found;
  });
  return upgrade.immediate();
}

/** @throws FeedError CATALOG_NEWER */
export function refuseNewer(db: Database.Database, file: string): void {
  const found = Number(db.pragma('user_version', { simple: true }));
  if (found > migrations.length) fail('CATALOG_NEWER', { file, found, known: migrations.length });
}

const damage = new Set(['SQLITE_NOTADB', 'SQLITE_CORRUPT']);

function asFeedError(error: unknown, file: string): unknown {
  if (error instanceof FeedError || !(error instanceof Database.SqliteError)) return error;
  if (isDatabaseFull(error)) return new FeedError('STORAGE_FULL', {}, error);
  if (![...damage].some((code) => error.code.startsWith(code))) return error;
  return new FeedError('CATALOG_DAMAGED', { file, problem: error.message }, error);
}
