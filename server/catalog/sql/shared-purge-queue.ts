import type { PurgeQueue } from '../../blobs/purge-queue.ts';
import type { Connection } from '../../database/connection.ts';
import type { Prepare } from '../../database/statements.ts';
import { isNamed } from './blob-names.ts';

type Begun = { readonly at: number };

const minute = 60_000;
const day = 24 * 60 * minute;

/** A push that was killed leaves its claim. Whoever is slower than this has to send the upload again. */
const claimMs = 7 * day;
/** After this time a removal sends nothing more. */
const sendMs = minute;
/**
 * A removal that has not ended by then is begun again, by any server: nothing that was sent before has an effect any more. S3 refuses
 * requests that were signed more than 15 minutes ago; the rest is for clocks that differ.
 */
const restartMs = 20 * minute;
/** A server that was away for less forgets its copies of removed blobs when it starts. */
const knownMs = 30 * day;

/**
 * The queue where servers share an object store. A removal has its row, so that no push stores the same bytes while the object is being
 * deleted; the object is deleted only while that row protects it (blobs/blob-claims.ts). Nothing is done to the file of this database,
 * which is a copy and overwrites what it deletes.
 */
export function createSharedPurgeQueue({ prepare, transact }: Connection, now: () => Date): PurgeQueue {
  const dequeue = (sha256: string): void =>
    void prepare('DELETE FROM purge_queue WHERE sha256 = ?').run(sha256);

  function begin(sha256: string): Begun | 'named' | 'in use' {
    const at = now().getTime();
    const running = prepare('SELECT 1 FROM blob_removals WHERE sha256 = ? AND is_done = 0 AND at > ?');
    if (running.get(sha256, at - restartMs) !== undefined) return 'in use';
    prepare('DELETE FROM blob_claims WHERE sha256 = ? AND at <= ?').run(sha256, at - claimMs);
    if (prepare('SELECT 1 FROM blob_claims WHERE sha256 = ?').get(sha256) !== undefined) return 'in use';
    if (isNamed(prepare, sha256)) {
      dequeue(sha256);
      prepare('DELETE FROM blob_removals WHERE sha256 = ? AND is_done = 0').run(sha256);
      return 'named';
    }
    prepare(`INSERT INTO blob_removals (sha256, at, is_done) VALUES (?, ?, 0)
      ON CONFLICT DO UPDATE SET at = excluded.at, is_done = 0`).run(sha256, at);
    return { at };
  }

  /** Only if nobody has begun it again meanwhile. */
  function end(sha256: string, { at }: Begun): void {
    const sql = 'UPDATE blob_removals SET is_done = 1 WHERE sha256 = ? AND at = ? AND is_done = 0';
    if (prepare(sql).run(sha256, at).changes > 0) dequeue(sha256);
  }

  return {
    async list() {
      const sql = `SELECT sha256 FROM purge_queue UNION SELECT sha256 FROM blob_removals WHERE is_done = 0`;
      return prepare(sql).pluck().all() as string[];
    },
    async removeUnnamed(sha256, remove) {
      const until = performance.now() + sendMs;
      const is = await transact(() => begin(sha256));
      if (typeof is === 'string') return is === 'named';
      if (!(await remove(until))) return false;
      await transact(() => end(sha256, is));
      return true;
    },
    isScrubbed: async () => true,
    scrub: async () => true,
  };
}

/** What nobody needs any more: claims of pushes that were killed, and removals of which every server knows. */
export function forgetOldRemovals(prepare: Prepare, now: Date): void {
  prepare('DELETE FROM blob_claims WHERE at <= ?').run(now.getTime() - claimMs);
  prepare('DELETE FROM blob_removals WHERE is_done = 1 AND at <= ?').run(now.getTime() - knownMs);
}

/** Call it where somebody is about to name the bytes: an orphan is removed a week after it lost its last name. */
export function forgetOrphan(prepare: Prepare, sha256: string): boolean {
  return prepare('DELETE FROM blob_orphans WHERE sha256 = ?').run(sha256).changes > 0;
}

/** The blobs that were removed lately, by any server, or are being removed. */
export function removedBlobs({ prepare }: Pick<Connection, 'prepare'>): string[] {
  return prepare('SELECT sha256 FROM blob_removals').pluck().all() as string[];
}
