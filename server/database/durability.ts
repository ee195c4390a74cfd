import { realpathSync } from 'node:fs';
import type Database from 'better-sqlite3';
import { syncContent } from '../blobs/disk-sync.ts';
import type { LogCopier } from './log-copier.ts';

/** How transactions become durable: two steps, so that nobody else has to wait for the disk. */
export type Durability = {
  /** Does a write that does not wait for the disk. */
  write<T>(write: () => T): T;
  /** Everything that was written before it was called is on disk when it resolves. */
  sync(): Promise<void>;
  /** What is to be done before the next write, when everybody has been answered. Never rejects. */
  settle?(): Promise<void>;
};

/** Each write waits for the disk itself: for databases without a write-ahead log. */
export const durableAtOnce: Durability = { write: (write) => write(), sync: async () => undefined };

/** Of 4 KB. Only single large changes, and a copier that fails, make the log so long. */
const maxLogPages = 4_000;

/**
 * Waits for the write-ahead log beside the main thread. SQLite itself (`synchronous=FULL`) would hold up the thread, and everybody who
 * reads, until the disk is done.
 */
export function createLogDurability(
  db: Database.Database,
  file: string,
  copier?: Pick<LogCopier, 'committed'>,
): Durability {
  // Without a copier SQLite copies the log within a commit, after 1,000 pages.
  if (copier !== undefined) db.pragma(`wal_autocheckpoint = ${maxLogPages}`);
  const log = `${realpathSync(file)}-wal`;
  /** After a failed fsync the next one may report success without having written anything. */
  let mustCopy = false;

  /** Into the main file, which SQLite syncs before it returns. */
  function copyLog(): void {
    const [copy] = db.pragma('wal_checkpoint(PASSIVE)') as {
      busy: number;
      log: number;
      checkpointed: number;
    }[];
    if (copy === undefined || copy.busy !== 0 || copy.log !== copy.checkpointed) {
      const problem =
        'The write-ahead log is not on disk, and somebody who reads keeps it from being copied.';
      throw Object.assign(new Error(problem), { code: 'EIO' });
    }
  }

  return {
    write(write) {
      db.pragma('synchronous = NORMAL');
      try {
        return write();
      } finally {
        db.pragma('synchronous = FULL');
      }
    },
    async sync() {
      if (!mustCopy) {
        try {
          return await syncContent(log);
        } catch {
          mustCopy = true;
        }
      }
      copyLog();
      mustCopy = false;
    },
    ...(copier && { settle: copier.committed }),
  };
}
