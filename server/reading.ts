import { existsSync } from 'node:fs';
import { operator } from './audit/audit.ts';
import type { Backup } from './audit/backups.ts';
import type { BlobReader } from './blobs/blob-store.ts';
import { createDiskReader } from './blobs/disk-reader.ts';
import { openDiskStore } from './blobs/disk-store.ts';
import { forgetHistory } from './bucket/sql-shared-history.ts';
import type { CatalogSnapshot } from './catalog/snapshot.ts';
import { openSnapshot, takeSnapshot } from './catalog/sql/snapshot.ts';
import type { Config } from './config.ts';
import { lockBlobs, openDataDir, pathsIn } from './data-dir.ts';
import { openDatabase } from './database/connection.ts';
import { createSqlAudit } from './database/sql-audit.ts';
import { noteBackupIn } from './database/sql-backups.ts';
import { fail } from './errors.ts';
import { applyKeyStates, readKeyStates } from './keys/sql-key-states.ts';
import { haltAgain, readStopped, type Stopped } from './rollout/sql-halt-again.ts';
import { applyTrustStates, nothingTrusted, readTrustStates } from './trust/sql-trust-states.ts';

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

/** Migrates an unpacked database to this program's schema and records the restore in its audit log. */
export async function recordRestore(dir: string, file: string, detail: string): Promise<void> {
  const database = openDatabase(pathsIn(dir).database);
  try {
    const audit = createSqlAudit(database, () => new Date());
    await database.transact(({ prepare }) => forgetHistory(prepare));
    await audit.record([{ kind: 'data restored', subject: file, detail }], operator);
  } finally {
    database.close();
  }
}

/**
 * Ends keys and secrets in a restored folder that have ended in the folder that it replaces, so that an older backup does not
 * bring back a key that leaked and was revoked; and publishers, issuers and tokens likewise. Returns how many keys changed; undefined when the replaced folder cannot be read.
 */
export async function endKeysAgain(replaced: string, dir: string): Promise<number | undefined> {
  const { database } = pathsIn(replaced);
  const stands = existsSync(database) ? readKeyStates(database) : { keys: [], oldSecrets: [] };
  const trusts = existsSync(database) ? readTrustStates(database) : nothingTrusted;
  if (stands === undefined || trusts === undefined) return undefined;
  const db = openDatabase(pathsIn(dir).database);
  try {
    await applyTrustStates(db, trusts, new Date());
    return await applyKeyStates(db, stands, new Date());
  } finally {
    db.close();
  }
}

/**
 * Halts rollouts in a restored folder that have been halted or rolled back in the folder that it replaces: it is the state of the
 * backup but for that (interface section 8). Undefined when the replaced folder cannot be read.
 */
export async function haltRolloutsAgain(
  replaced: string,
  dir: string,
): Promise<readonly Stopped[] | undefined> {
  const { database } = pathsIn(replaced);
  const stopped = existsSync(database) ? readStopped(database) : [];
  if (stopped === undefined || stopped.length === 0) return stopped;
  const db = openDatabase(pathsIn(dir).database);
  try {
    return await haltAgain(db, stopped, new Date());
  } finally {
    db.close();
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
