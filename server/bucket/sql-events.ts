import type { Actor } from '../audit/audit.ts';
import { writeAuditEntry } from '../database/audit-entry.ts';
import type { Connection } from '../database/connection.ts';
import type { Transaction } from '../database/transact.ts';
import type { BucketEvents, RefMove } from './events.ts';
import { createSemaphore } from './semaphore.ts';

const maxWaiting = 200;

/** In SQLite. The lock is in memory: only this process serves the bucket, under the data folder's lock. */
export function createSqlBucketEvents({ prepare, transact }: Connection, now: () => Date): BucketEvents {
  const mutex = createSemaphore(1, maxWaiting);
  return {
    record(moves, by, detail) {
      // The refs have moved already, whoever moved them.
      const record: Transaction['record'] = (...entry) => writeAuditEntry(prepare, ...entry);
      return transact(() => recordMoves(record, moves, by, now(), detail));
    },
    async lastMove(ref) {
      const sql = `SELECT digest FROM audit WHERE kind = 'bucket moved' AND subject = ?
        ORDER BY number DESC LIMIT 1`;
      const row = prepare(sql).get(ref) as { digest: string } | undefined;
      return row?.digest.split('->')[1];
    },
    lock: (signal) => mutex.acquire(signal),
  };
}

/** For use within a transaction. */
export function recordMoves(
  record: Transaction['record'],
  moves: readonly RefMove[],
  by: Actor,
  at: Date,
  detail: string | undefined,
): void {
  for (const { ref, from = '', to } of moves) {
    record({ kind: 'bucket moved', subject: ref, digest: `${from}->${to}`, detail }, by, at);
  }
}
