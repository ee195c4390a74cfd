import Database from 'better-sqlite3';
import type { Backup, Backups } from '../audit/backups.ts';
import { type Connection, createConnection } from './connection.ts';

export function createSqlBackups({ prepare, transact }: Pick<Connection, 'prepare' | 'transact'>): Backups {
  return {
    async last() {
      const row = prepare('SELECT at, size_bytes FROM last_backup').get() as
        | { at: number; size_bytes: number }
        | undefined;
      return row && { at: new Date(row.at), sizeBytes: row.size_bytes };
    },
    note: ({ at, sizeBytes }) =>
      transact(() => {
        const sql = 'INSERT OR REPLACE INTO last_backup (one, at, size_bytes) VALUES (1, ?, ?)';
        prepare(sql).run(at.getTime(), sizeBytes);
      }),
  };
}

/** A server commits within milliseconds; a migration may take longer. */
const busyTimeoutMs = 30_000;

/**
 * Notes a backup in a database that a server may have open, and leaves its schema alone: whoever makes the backup before an upgrade has
 * to be able to go back. False: the database is of a program that has no place for it.
 */
export async function noteBackupIn(file: string, backup: Backup): Promise<boolean> {
  const db = new Database(file, { fileMustExist: true, timeout: busyTimeoutMs });
  try {
    const known = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'last_backup'").get();
    if (known === undefined) return false;
    db.pragma('synchronous = FULL');
    await createSqlBackups(createConnection(db)).note(backup);
    return true;
  } finally {
    db.close();
  }
}
