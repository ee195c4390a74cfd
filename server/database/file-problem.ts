import Database from 'better-sqlite3';
import { FeedError } from '../errors.ts';

const problems: Readonly<Record<string, string>> = {
  SQLITE_CANTOPEN: 'cannot be opened',
  SQLITE_READONLY: 'may not be written by this user',
  SQLITE_PERM: 'may not be written by this user',
};

/** Why SQLite cannot use a file, for use after its name; undefined for any other error. */
export function fileProblem(error: unknown): string | undefined {
  if (!(error instanceof Database.SqliteError)) return undefined;
  return problems[/^SQLITE_[A-Z]+/.exec(error.code)?.[0] ?? ''];
}

/** Whether it failed because the disk is full. */
export function isDatabaseFull(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code === 'SQLITE_FULL';
}

/** Whether a disk or file did not do what it was asked to, rather than a program asking for the wrong thing. */
export function isStorageFailure(error: unknown): boolean {
  if (error instanceof FeedError) return error.code === 'STORAGE_FULL';
  if (!(error instanceof Error && 'code' in error)) return false;
  const code = String(error.code);
  if (error instanceof Database.SqliteError) return /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN|BUSY)/.test(code);
  // of the operating system, such as ENOSPC; Node's own begin with ERR_
  return /^E[A-Z0-9]+$/.test(code);
}
