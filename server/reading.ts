import { existsSync } from 'node:fs';
import type { Backup } from './audit/backups.ts';
import type { BlobReader } from './blobs/blob-store.ts';
import { createDiskReader } from './blobs/disk-reader.ts';
import { openDiskStore } from './blobs/disk-store.ts';
import type { CatalogSnapshot } from './catalog/snapshot.ts';
import { openSnapshot, takeSnapshot } from './catalog/sql/snapshot.ts';
import type { Config } from './config.ts';
import { lockBlobs, openDataDir, pathsIn } from './data-dir.ts';
import { noteBackupIn } from './database/sql-backups.ts';
import { fail } from './errors.ts';

/** The data as a verb reads it, whether or not servers use it. Existing blobs stay until it is closed, but for purged ones of an object store. */
export type Reading = {
  readonly blobs: BlobReader;
  /** For people. */
  readonly database: string;
  /** Copies the database to a new file and reads that. @throws FeedError NO_FEED, CATALOG_NEWER, CATALOG_DAMAGED */
  takeSnapshot(copy: string): Promise<CatalogSnapshot>;
  /** The folder of the bucket's repository. @throws FeedError BUCKET_OBJECT_DAMAGED, BLOB_STORE_UNREACHABLE where it has to be read from an object store */
  openBucket(): Promise<string>;
  /** Notes that a backup was written; nothing is read afterwards. False: the database is of a program that cannot keep it. */
  noteBackup(backup: Backup): Promise<boolean>;
  close(): Promise<void>;
};

const waitMs = 30_000;

/**
 * The composition root for reading.
 * @throws FeedError NO_FEED, BLOBS_BEING_REMOVED, DATA_DIR_UNUSABLE; with DATABASE_URL those of `openSharedReading`
 */
export async function openReading(
  { dataDir, databaseUrl, blobStore }: Pick<Config, 'dataDir' | 'databaseUrl' | 'blobStore'>,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Reading> {
  if (databaseUrl === undefined || blobStore === undefined) return readFolder(dataDir);
  // Loaded only where it is needed: it brings the drivers with it.
  const { openSharedReading } = await import('./shared-reading.ts');
  return openSharedReading({ databaseUrl, blobStore }, env);
}

/** It does not take the server's lock, since everything in the folder belongs to SQLite or git, or never changes. */
function readFolder(dataDir: string): Reading {
  const { database } = pathsIn(dataDir);
  if (!existsSync(database)) fail('NO_FEED', { file: database, cause: 'it is not there' });
  const close = lockBlobs(dataDir, 'reading', waitMs) ?? fail('BLOBS_BEING_REMOVED', { dir: dataDir });
  const paths = pathsIn(dataDir);
  return {
    blobs: createDiskReader(paths.blobs),
    database: paths.database,
    takeSnapshot: (copy) => takeSnapshot(paths.database, copy),
    openBucket: async () => paths.bucket,
    noteBackup: (backup) => noteBackupIn(paths.database, backup),
    close: async () => close(),
  };
}

export type Removing = {
  readonly snapshot: CatalogSnapshot;
  remove(sha256: string): Promise<boolean>;
  close(): Promise<void>;
};

/**
 * The folder while nobody else uses it, neither a server nor a reader; undefined while somebody reads.
 * @throws FeedError DATA_DIR_IN_USE, DATA_DIR_UNUSABLE
 */
export async function openForRemoving(dataDir: string, copy: string): Promise<Removing | undefined> {
  const { database, blobs, release } = openDataDir(dataDir);
  const unlock = lockBlobs(dataDir, 'removing');
  function close(): void {
    unlock?.();
    release();
  }
  if (unlock === undefined) {
    close();
    return undefined;
  }
  try {
    const snapshot = await takeSnapshot(database, copy);
    const { remove } = await openDiskStore(blobs);
    return {
      snapshot,
      remove,
      async close() {
        await snapshot.close();
        close();
      },
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** A data folder that was just unpacked and that nobody else uses yet. */
export function openUnpacked(dir: string): {
  readonly blobs: BlobReader;
  readonly snapshot: CatalogSnapshot;
} {
  const paths = pathsIn(dir);
  return { blobs: createDiskReader(paths.blobs), snapshot: openSnapshot(paths.database) };
}
