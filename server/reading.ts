import { existsSync } from 'node:fs';
import { operator } from './audit/audit.ts';
import type { BlobReader } from './blobs/blob-store.ts';
import { createDiskReader } from './blobs/disk-reader.ts';
import { openDiskStore } from './blobs/disk-store.ts';
import type { CatalogSnapshot } from './catalog/snapshot.ts';
import { openSnapshot, takeSnapshot } from './catalog/sql/snapshot.ts';
import { lockBlobs, openDataDir, pathsIn } from './data-dir.ts';
import { openDatabase } from './database/connection.ts';
import { createSqlAudit } from './database/sql-audit.ts';
import { fail } from './errors.ts';
import { applyKeyStates, readKeyStates } from './keys/sql-key-states.ts';

/** A data folder as a verb reads it, whether a server uses it or not. Blobs that were there stay until it is closed. */
export type Reading = {
  readonly blobs: BlobReader;
  readonly bucketDir: string;
  /** For people. */
  readonly database: string;
  /** Copies the database to a new file and reads that. @throws FeedError NO_FEED, CATALOG_NEWER, CATALOG_DAMAGED */
  takeSnapshot(copy: string): Promise<CatalogSnapshot>;
  close(): void;
};

const waitMs = 30_000;

/**
 * The composition root for reading: no lock of the server's is taken, since everything in the folder is either
 * SQLite's, or git's, or never changes.
 * @throws FeedError NO_FEED, BLOBS_BEING_REMOVED, DATA_DIR_UNUSABLE
 */
export function openReading(dataDir: string): Reading {
  const { database } = pathsIn(dataDir);
  if (!existsSync(database)) fail('NO_FEED', { file: database, cause: 'it is not there' });
  const close = lockBlobs(dataDir, 'reading', waitMs) ?? fail('BLOBS_BEING_REMOVED', { dir: dataDir });
  const paths = pathsIn(dataDir);
  return {
    blobs: createDiskReader(paths.blobs),
    bucketDir: paths.bucket,
    database: paths.database,
    takeSnapshot: (copy) => takeSnapshot(paths.database, copy),
    close,
  };
}

export type Removing = {
  readonly snapshot: CatalogSnapshot;
  remove(sha256: string): Promise<boolean>;
  close(): Promise<void>;
};

/**
 * The folder with nobody else in it, neither a server nor a reader; undefined while somebody reads.
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

/** Brings an unpacked database to this program's schema and writes the restore into its audit log. */
export async function recordRestore(dir: string, file: string, detail: string): Promise<void> {
  const database = openDatabase(pathsIn(dir).database);
  try {
    const audit = createSqlAudit(database, () => new Date());
    await audit.record([{ kind: 'data restored', subject: file, detail }], operator);
  } finally {
    database.close();
  }
}

/**
 * Ends in a folder that was just unpacked from a backup the keys and secrets that have ended in the one that it replaces: a key
 * that leaked and was revoked does not come back with an older backup. Answers with how many keys that are; undefined when the
 * folder that was there cannot be read.
 */
export async function endKeysAgain(replaced: string, dir: string): Promise<number | undefined> {
  const { database } = pathsIn(replaced);
  const stands = existsSync(database) ? readKeyStates(database) : { keys: [], oldSecrets: [] };
  if (stands === undefined) return undefined;
  const db = openDatabase(pathsIn(dir).database);
  try {
    return await applyKeyStates(db, stands, new Date());
  } finally {
    db.close();
  }
}

/** A data folder that was just unpacked and that nobody else knows yet. */
export function openUnpacked(dir: string): {
  readonly blobs: BlobReader;
  readonly snapshot: CatalogSnapshot;
} {
  const paths = pathsIn(dir);
  return { blobs: createDiskReader(paths.blobs), snapshot: openSnapshot(paths.database) };
}
