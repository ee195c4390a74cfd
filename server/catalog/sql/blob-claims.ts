import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { BlobClaims } from '../../blobs/blob-claims.ts';
import type { Connection } from '../../database/connection.ts';
import type { Prepare } from '../../database/statements.ts';
import { fail } from '../../errors.ts';
import { forgetOrphan } from './shared-purge-queue.ts';

/** A removal takes some milliseconds, unless the server that began it has died meanwhile. */
const maxPauses = 50;
const pauseMs = 100;
/** Only those who remove bytes look at claims, in transactions of their own. */
const untold = { isTold: false };

export function createSqlBlobClaims(
  { prepare, transact }: Connection,
  now: () => Date,
  pause: () => Promise<unknown> = () => delay(pauseMs),
): BlobClaims {
  const isBeingRemoved = (sha256: string): boolean =>
    prepare('SELECT 1 FROM blob_removals WHERE sha256 = ? AND is_done = 0').get(sha256) !== undefined;

  return {
    async claim(sha256) {
      const claim = randomUUID();
      for (let pauses = 0; pauses <= maxPauses; pauses += 1) {
        const isClaimed = await transact(() => {
          if (isBeingRemoved(sha256)) return false;
          prepare('DELETE FROM blob_removals WHERE sha256 = ?').run(sha256);
          forgetOrphan(prepare, sha256);
          prepare('INSERT INTO blob_claims (claim, sha256, at) VALUES (?, ?, ?)').run(
            claim,
            sha256,
            now().getTime(),
          );
          return true;
        }, untold);
        if (isClaimed) return claim;
        await pause();
      }
      return fail('BLOB_BEING_REMOVED');
    },
    async release(claim) {
      const select = 'SELECT 1 FROM blob_claims WHERE claim = ?';
      if (prepare(select).get(claim) === undefined) return;
      await transact(() => prepare('DELETE FROM blob_claims WHERE claim = ?').run(claim), untold);
    },
  };
}

/**
 * Call it in the transaction that inserts a row which names the bytes of an upload. From then on the row protects them.
 * @throws FeedError UPLOAD_COLLECTED when the claim has ended, and with it perhaps the bytes
 */
export function useClaim(prepare: Prepare, claim: string | undefined): void {
  if (claim === undefined) return;
  const { changes } = prepare('DELETE FROM blob_claims WHERE claim = ?').run(claim);
  if (changes === 0) fail('UPLOAD_COLLECTED');
}

/** Whether anybody has ever begun to store anything, or changed anything else: entries of the audit log are never removed. */
export function isUsed(prepare: Prepare): boolean {
  const sql = 'SELECT EXISTS (SELECT 1 FROM audit) OR EXISTS (SELECT 1 FROM blob_claims)';
  return prepare(sql).pluck().get() === 1;
}
