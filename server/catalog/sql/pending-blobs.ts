import type { PendingBlob, PendingBlobs } from '../../blobs/pending-blobs.ts';
import type { Connection } from '../../database/connection.ts';
import type { Prepare } from '../../database/statements.ts';
import { fail } from '../../errors.ts';

/** Call it in the transaction that adds the row which names the blob. */
export function keepPendingBlob(prepare: Prepare, sha256: string, bytes: Buffer): void {
  prepare('INSERT INTO pending_blobs (sha256, bytes) VALUES (?, ?)').run(sha256, bytes);
}

export function createSqlPendingBlobs({ prepare, writeStatistics }: Connection): PendingBlobs {
  return {
    async list(limit) {
      const sql = `SELECT number, sha256, length(bytes) AS sizeBytes FROM pending_blobs ORDER BY number LIMIT ?`;
      return prepare(sql).all(limit) as PendingBlob[];
    },
    async bytesOf({ number }) {
      const row = prepare('SELECT bytes FROM pending_blobs WHERE number = ?').get(number);
      return (row as { bytes: Buffer } | undefined)?.bytes ?? fail('INTERNAL');
    },
    async forget({ number }) {
      // A power cut may bring rows back; their files exist, and are flushed once more.
      await writeStatistics(() => void prepare('DELETE FROM pending_blobs WHERE number <= ?').run(number));
    },
  };
}
