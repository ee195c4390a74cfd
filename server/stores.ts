import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openDiskStore } from './blobs/disk-store.ts';
import { createSqlPurgeQueue } from './catalog/sql/purge.ts';
import type { Config } from './config.ts';
import type { DataPaths } from './data-dir.ts';
import { type Connection, openDatabase } from './database/connection.ts';
import { openLogCopier } from './database/log-copier.ts';
import type { Freshness } from './http/fresh-gate.ts';
import type { Logger } from './log.ts';
import type { OpenBlobs } from './shared-blobs.ts';

/** Where the data is: in the data folder, or in stores that several servers share. */
export type Stores = {
  readonly database: Connection;
  /** The file that `database` reads. */
  readonly databaseFile: string;
  readonly bucketDir: string;
  /** Opened after the database, whose rows say which bytes there are. */
  openBlobs(): Promise<OpenBlobs>;
  /** Where several servers share the data. */
  readonly shared?: { readonly freshness: Freshness; start(): void };
  close(): Promise<void>;
};

export type StoreDeps = {
  readonly now: () => Date;
  readonly log: Logger;
  readonly version: string;
  /** Of a server; verbs have none. */
  readonly instance?: string | undefined;
};

/**
 * @throws FeedError DATABASE_DRIVER, CATALOG_DAMAGED, CATALOG_NEWER, STORAGE_FULL; where servers share the data those of
 *   `openReplica`
 */
export async function openStores(
  config: Config,
  dataDir: DataPaths,
  { now, log, ...server }: StoreDeps,
): Promise<Stores> {
  const { databaseUrl, blobStore, blobCacheBytes: cacheBytes } = config;
  if (databaseUrl === undefined || blobStore === undefined) {
    const copier = openLogCopier(dataDir.database);
    const database = openDatabase(dataDir.database, {
      copier,
      onUpgrade: (from, to) =>
        log.info({ database: dataDir.database, from, to }, 'the database has the schema of this version now'),
    });
    return {
      database,
      databaseFile: dataDir.database,
      bucketDir: dataDir.bucket,
      openBlobs: async () => ({
        blobs: await openDiskStore(dataDir.blobs),
        purgeQueue: createSqlPurgeQueue(database),
        close: async () => undefined,
      }),
      async close() {
        await copier.close();
        database.close();
      },
    };
  }
  // Loaded only where they are needed: they bring the drivers with them.
  const [{ openReplica }, { applicationOf }, { openSharedBlobs }, { warnOfPlainStores }] = await Promise.all([
    import('./replica/replica.ts'),
    import('./replica/postgres.ts'),
    import('./shared-blobs.ts'),
    import('./plain-stores.ts'),
  ]);
  await warnOfPlainStores(databaseUrl, blobStore.endpoint, log);
  const paths = replicaPaths(config.dataDir);
  mkdirSync(paths.dir, { recursive: true, mode: 0o700 });
  const { version, instance } = server;
  const application = instance && applicationOf(version, instance);
  const replica = await openReplica(databaseUrl, paths.database, log, { application });
  return {
    database: replica.database,
    databaseFile: paths.database,
    bucketDir: paths.bucket,
    openBlobs: () => openSharedBlobs(replica.database, { blobStore, cacheBytes, dir: paths.dir, now, log }),
    shared: { freshness: replica, start: replica.start },
    close: async () => replica.close(),
  };
}

/** What a replica keeps in DATA_DIR, all of it copies: apart from the data of a server alone, which it must not touch. */
function replicaPaths(dataDir: string) {
  const dir = join(dataDir, 'replica');
  return {
    dir,
    database: join(dir, 'catalog.db'),
    bucket: join(dir, 'bucket'),
  };
}
