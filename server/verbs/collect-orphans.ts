import type { StoredBlob } from '../blobs/blob-store.ts';
import { FeedError } from '../errors.ts';
import { isOldOrphan } from '../feed/verify.ts';
import { openForRemoving } from '../reading.ts';

export type Collected = {
  readonly removed: readonly StoredBlob[];
  readonly kept: readonly StoredBlob[];
  /** Why some old ones were kept. */
  readonly because: string | undefined;
};

/**
 * Removes orphans that are older than a day. Only while nobody else uses the folder: a running server may be between the bytes of
 * a push and its row, even for bytes that have been stored for long, and a backup may be about to read them.
 */
export async function collectOrphans(
  dataDir: string,
  orphans: readonly StoredBlob[],
  now: Date,
  copy: string,
): Promise<Collected> {
  const forgotten = orphans.filter((orphan) => isOldOrphan(orphan, now));
  if (forgotten.length === 0) return { removed: [], kept: orphans, because: undefined };
  try {
    const folder = await openForRemoving(dataDir, copy);
    if (folder === undefined)
      return { removed: [], kept: orphans, because: 'a backup or an export is running' };
    try {
      // Checked again, since rows may have been written since the search.
      const removed: StoredBlob[] = [];
      for (const orphan of forgotten) {
        if (await folder.snapshot.namesBlob(orphan.sha256)) continue;
        await folder.remove(orphan.sha256);
        removed.push(orphan);
      }
      return { removed, kept: orphans.filter((orphan) => !removed.includes(orphan)), because: undefined };
    } finally {
      await folder.close();
    }
  } catch (error) {
    if (!(error instanceof FeedError) || error.code !== 'DATA_DIR_IN_USE') throw error;
    return {
      removed: [],
      kept: orphans,
      because: 'a server uses the folder; run feed:verify while it is stopped',
    };
  }
}
