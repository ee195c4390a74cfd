import { statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { fail } from '../errors.ts';
import { migrations } from './migrations.ts';

export type SqliteProbe = {
  readonly schema: { readonly found: number; readonly known: number };
  readonly bytes: number;
  /** Of the write-ahead log. */
  readonly logBytes: number;
  /**
   * Looks through one table after the other until the time is up; `of`: how many there are.
   * @throws FeedError CATALOG_DAMAGED
   */
  check(budgetMs: number): { readonly checked: number; readonly of: number };
  /** Whether a test alert with this mark is remembered. */
  hasAlert(mark: string): boolean;
  /** When the last backup was; undefined also where the schema is older than that note. */
  lastBackup(): Date | undefined;
  close(): void;
};

/** Looks at a database, also while a server uses it, and changes nothing. @throws FeedError CATALOG_DAMAGED, NO_FEED */
export function openSqliteProbe(file: string): SqliteProbe {
  if (statSync(file, { throwIfNoEntry: false }) === undefined)
    fail('NO_FEED', { file, cause: 'it is not there' });
  const db = inDatabase(
    file,
    () => new Database(file, { readonly: true, fileMustExist: true, timeout: 2_000 }),
  );
  return {
    schema: {
      found: inDatabase(file, () => Number(db.pragma('user_version', { simple: true }))),
      known: migrations.length,
    },
    bytes: sizeOf(file),
    logBytes: sizeOf(`${file}-wal`),
    check(budgetMs) {
      const until = performance.now() + budgetMs;
      const tables = inDatabase(
        file,
        () =>
          db
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            .pluck()
            .all() as string[],
      );
      let checked = 0;
      for (const table of tables) {
        if (performance.now() > until) break;
        const problem = inDatabase(file, () => db.pragma(`quick_check("${table}")`, { simple: true }));
        if (problem !== 'ok') fail('CATALOG_DAMAGED', { file, problem: String(problem) });
        checked += 1;
      }
      return { checked, of: tables.length };
    },
    hasAlert(mark) {
      const sql = 'SELECT 1 FROM firing_alerts WHERE instr(labels, ?) > 0 LIMIT 1';
      return db.prepare(sql).get(mark) !== undefined;
    },
    lastBackup() {
      const known = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'last_backup'").get();
      const at = known && db.prepare('SELECT at FROM last_backup').pluck().get();
      return typeof at === 'number' ? new Date(at) : undefined;
    },
    close: () => void db.close(),
  };
}

function inDatabase<T>(file: string, look: () => T): T {
  try {
    return look();
  } catch (error) {
    const isDamage = error instanceof Database.SqliteError && /^SQLITE_(NOTADB|CORRUPT)/.test(error.code);
    if (isDamage) fail('CATALOG_DAMAGED', { file, problem: error.message }, error);
    throw error;
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
