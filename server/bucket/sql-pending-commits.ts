import type { Connection } from '../database/connection.ts';
import type { Prepare } from '../database/statements.ts';
import type { NewPendingCommit, PendingCommit, PendingCommits } from './pending-commits.ts';

/** Commits that branches are still to get, in SQLite. */
export function createSqlPendingCommits({ prepare, transact }: Connection): PendingCommits {
  return {
    async first(after = 0) {
      const sql = 'SELECT * FROM bucket_work WHERE number > ? ORDER BY number LIMIT 1';
      const row = prepare(sql).get(after) as RawCommit | undefined;
      return row && toCommit(row);
    },
    remove: (number) => transact(() => void prepare('DELETE FROM bucket_work WHERE number = ?').run(number)),
  };
}

/** For use within a transaction. */
export function addPendingCommit(prepare: Prepare, commit: NewPendingCommit): void {
  const { tool, version, text, message, branches, at, by, reason } = commit;
  const insert = `INSERT INTO bucket_work
    (tool, version, text, message, branches, at, key_id, key_name, from_address, reason)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
  prepare(insert).run(
    ...[tool, version, text, message, JSON.stringify(branches), at.getTime()],
    ...[by.keyId, by.keyName, by.from, reason ?? null],
  );
}

/** Whether the bucket has the tag of a version, or is to get it. For use within a transaction. */
export function isReleased(prepare: Prepare, tool: string, version: string): boolean {
  const sql = `SELECT 1 FROM bucket_work WHERE tool = ? AND version = ?
    UNION ALL SELECT 1 FROM audit WHERE kind = 'bucket moved' AND subject = ?`;
  return prepare(sql).get(tool, version, `refs/tags/${tool}/v${version}`) !== undefined;
}

type RawCommit = Record<'tool' | 'version' | 'text' | 'message' | 'branches', string> &
  Record<'key_id' | 'key_name' | 'from_address', string> & {
    readonly number: number;
    readonly at: number;
    readonly reason: string | null;
  };

function toCommit(row: RawCommit): PendingCommit {
  const { number, tool, version, text, message, branches, at, reason } = row;
  return {
    ...{ number, tool, version, text, message },
    branches: JSON.parse(branches) as PendingCommit['branches'],
    at: new Date(at),
    by: { keyId: row.key_id, keyName: row.key_name, from: row.from_address },
    ...(reason === null ? {} : { reason }),
  };
}
