import type { BlobStore } from './blobs/blob-store.ts';
import { createDiskReader } from './blobs/disk-reader.ts';
import { openS3Store } from './blobs/s3-store.ts';
import type { Git } from './bucket/git-backend.ts';
import { beginSharedBucket } from './bucket/shared-copy.ts';
import { createSqlSharedHistory } from './bucket/sql-shared-history.ts';
import { pathsIn } from './data-dir.ts';
import { openDatabase } from './database/connection.ts';
import { fail } from './errors.ts';
import { openEmptyDatabase } from './replica/fill-database.ts';
import type { SharedStores } from './shared-reading.ts';

/** An empty database and an empty object store that are to become a feed. */
export type SharedTarget = {
  /** Its names, for people. */
  readonly database: string;
  readonly blobStore: string;
  /** @throws FeedError STORE_FILLED when the store has other blobs than these, which an earlier try may have left */
  requireEmptyStore(expected: ReadonlySet<string>): Promise<void>;
  /** Uploads blobs of an unpacked backup. */
  upload(dir: string, sha256s: readonly string[], options: UploadOptions): Promise<void>;
  /**
   * Takes over database and bucket of an unpacked backup whose blobs are uploaded, all at once.
   * @throws FeedError DATABASE_FILLED, DATABASE_UNREACHABLE, DATABASE_UNSURE
   */
  takeOver(dir: string, bucket: Git): Promise<void>;
};

export type UploadOptions = { readonly signal: AbortSignal; readonly onProgress: (bytes: number) => void };

const parallel = 8;

/** @param dir for uploads @throws FeedError DATABASE_FILLED, and those of `migrate` and `openS3Store` */
export async function openSharedTarget(
  { databaseUrl, blobStore }: SharedStores,
  dir: string,
): Promise<SharedTarget> {
  const empty = await openEmptyDatabase(databaseUrl);
  const store = await openS3Store(blobStore, dir);
  const name = `s3://${blobStore.bucket}/${blobStore.prefix}`;

  return {
    database: empty.name,
    blobStore: name,
    async requireEmptyStore(expected) {
      for await (const { sha256 } of store.list()) {
        if (!expected.has(sha256)) fail('STORE_FILLED', { store: name, sha256 });
      }
    },
    async upload(unpacked, sha256s, { signal, onProgress }) {
      const reader = createDiskReader(pathsIn(unpacked).blobs);
      const waiting = sha256s.values();
      async function work(): Promise<void> {
        for (const sha256 of waiting) {
          signal.throwIfAborted();
          onProgress(await put(store, reader.open(sha256)));
        }
      }
      await Promise.all(Array.from({ length: parallel }, work));
    },
    async takeOver(unpacked, bucket) {
      const local = openDatabase(pathsIn(unpacked).database);
      try {
        // Its rows come with the others.
        const history = createSqlSharedHistory(local, () => new Date());
        await beginSharedBucket(bucket, { history, blobs: store, dir: unpacked });
        await empty.fill(local);
      } finally {
        local.close();
      }
    },
  };
}

async function put(store: BlobStore, bytes: ReturnType<BlobStore['open']>): Promise<number> {
  const upload = await store.receive(await bytes, Number.MAX_SAFE_INTEGER);
  try {
    await upload.commit();
    return upload.digest.sizeBytes;
  } finally {
    await upload.discard();
  }
}
