import { join } from 'node:path';
import type { BlobStore } from './blobs/blob-store.ts';
import { openCachedStore } from './blobs/cached-store.ts';
import { createClaimedStore } from './blobs/claimed-store.ts';
import type { OrphanQueue } from './blobs/orphan-queue.ts';
import type { PurgeQueue } from './blobs/purge-queue.ts';
import type { S3Address } from './blobs/s3-client.ts';
import { openS3Store } from './blobs/s3-store.ts';
import { createSqlBlobClaims, isUsed } from './catalog/sql/blob-claims.ts';
import { createSqlOrphanQueue } from './catalog/sql/orphan-queue.ts';
import { createSharedPurgeQueue, removedBlobs } from './catalog/sql/shared-purge-queue.ts';
import type { Connection } from './database/connection.ts';
import type { Logger } from './log.ts';

const strangeStore =
  'the database is new, but the object store has blobs of another one; correct DATABASE_URL or BLOB_STORE, or restore the database';

/** The bytes, and what removes them. */
export type OpenBlobs = {
  readonly blobs: BlobStore;
  readonly purgeQueue: PurgeQueue;
  /** Where servers share the store; where one server is alone, nobody looks for orphans while it runs. */
  readonly orphans?: OrphanQueue;
  /** How much room copies on this machine take, where there are any. */
  readonly cacheRoom?: () => { readonly usedBytes: number; readonly limitBytes: number };
  close(): Promise<void>;
};

export type SharedBlobsOptions = {
  readonly blobStore: S3Address;
  readonly cacheBytes: number;
  /** For uploads and copies. */
  readonly dir: string;
  readonly now: () => Date;
  readonly log: Logger;
};

/**
 * Blobs in an object store that servers share, with claims in the database that they share, and with copies on this machine. Only this
 * server uses `dir`.
 * @throws FeedError those of `openS3Store`
 */
export async function openSharedBlobs(
  database: Connection,
  { blobStore, cacheBytes, dir, now, log }: SharedBlobsOptions,
): Promise<OpenBlobs> {
  const store = await openS3Store(blobStore, join(dir, 'uploads'));
  const strange = await findStrangeBlob(database, store);
  if (strange !== undefined)
    log.warn({ store: `s3://${blobStore.bucket}/${blobStore.prefix}`, sha256: strange }, strangeStore);
  const cached = await openCachedStore(store, { dir: join(dir, 'blobs'), maxBytes: cacheBytes, log });
  const forgetRemoved = () => cached.forget(removedBlobs(database));
  await forgetRemoved();
  database.onForeignChange(({ tables }) => {
    // When the change is there.
    if (tables.has('blob_removals')) setImmediate(() => void forgetRemoved());
  });
  const claimed = createClaimedStore(cached, createSqlBlobClaims(database, now), log);
  async function ping(): Promise<void> {
    await claimed.ping();
    // The database may have been made anew under a running server, too: an empty feed would answer 404 to everybody.
    if ((await findStrangeBlob(database, store)) !== undefined) throw new Error(strangeStore);
  }
  return {
    blobs: { ...claimed, ping },
    purgeQueue: createSharedPurgeQueue(database, now),
    orphans: createSqlOrphanQueue(database, now),
    cacheRoom: cached.room,
    close: cached.close,
  };
}

/**
 * A new database beside a store with blobs is probably not the one that belongs to it: the server is not ready then. It removes none of them (orphan-collector.ts). The
 * store is looked into first: whoever has put the blob there, perhaps a server that started a moment ago, has claimed it in the
 * database before.
 */
async function findStrangeBlob(
  { prepare, transact }: Connection,
  blobs: Pick<BlobStore, 'list'>,
): Promise<string | undefined> {
  if (isUsed(prepare)) return undefined;
  for await (const { sha256 } of blobs.list()) {
    // A transaction begins with what the database has now; the copy may be older.
    const isOurs = await transact(() => isUsed(prepare), { isTold: false });
    return isOurs ? undefined : sha256;
  }
  return undefined;
}
