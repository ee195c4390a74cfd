import { existsSync } from 'node:fs';
import { operator } from './audit/audit.ts';
import { openDiskStore } from './blobs/disk-store.ts';
import { createSqlCatalog } from './catalog/sql/catalog.ts';
import { createSqlPendingBlobs } from './catalog/sql/pending-blobs.ts';
import { createSqlPurgeQueue, keepTombstones, tombstonesOf } from './catalog/sql/purge.ts';
import { pathsIn } from './data-dir.ts';
import { openDatabase } from './database/connection.ts';
import { createBlobFlusher } from './feed/flush-blobs.ts';
import { createPurging } from './feed/purge.ts';
import { createLogger } from './log.ts';

/**
 * Purges in a restored folder what is purged in the folder that it replaces, so that an older backup does not bring it back.
 * Returns how many versions were affected; undefined when the replaced folder cannot tell.
 */
export async function purgeAgain(replaced: string, dir: string): Promise<number | undefined> {
  const { database } = pathsIn(replaced);
  const tombstones = existsSync(database) ? tombstonesOf(database) : [];
  if (tombstones === undefined || tombstones.length === 0) return tombstones?.length;
  const paths = pathsIn(dir);
  const now = (): Date => new Date();
  const log = createLogger('warn');
  const db = openDatabase(paths.database);
  try {
    await keepTombstones(db, tombstones);
    const blobs = await openDiskStore(paths.blobs);
    const blobFlusher = createBlobFlusher({ blobs, pendingBlobs: createSqlPendingBlobs(db), log });
    // A backup stores blobs under other paths than flushing expects; this writes the files anew.
    await blobFlusher.recover();
    await blobFlusher.flush();
    const purging = createPurging({
      catalog: createSqlCatalog(db, now),
      blobs,
      blobFlusher,
      purgeQueue: createSqlPurgeQueue(db),
      bucket: {
        listManifests: async () => [],
        between: (work) => work(),
        finishCommits: async () => undefined,
      },
      lockForRemoving: async () => () => undefined,
      log,
    });
    const reason = 'it was purged before this backup was restored';
    let count = 0;
    for (const { id, version } of tombstones) {
      // Whether the bucket offers it does not matter: that was decided when it was purged.
      const { files } = await purging.purge({ id, version, reason, force: true }, operator);
      if (files.length > 0) count += 1;
    }
    await purging.close();
    return count;
  } finally {
    db.close();
  }
}
