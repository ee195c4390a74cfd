import Database from 'better-sqlite3';

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
