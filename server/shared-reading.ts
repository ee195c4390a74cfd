import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../formats/thrown.ts';
import type { Backup } from './audit/backups.ts';
import type { StoredBlob } from './blobs/blob-store.ts';
import { openS3Store } from './blobs/s3-store.ts';
import { copySharedBucket } from './bucket/shared-copy.ts';
import { createSqlSharedHistory } from './bucket/sql-shared-history.ts';
import { openSnapshot, takeSnapshot } from './catalog/sql/snapshot.ts';
import type { Config } from './config.ts';
import { type Connection, openDatabase } from './database/connection.ts';
import { createSqlBackups } from './database/sql-backups.ts';
import { FeedError, fail } from './errors.ts';
import { createLogger } from './log.ts';
import { openReplica } from './replica/replica.ts';
import { requireFeed } from './replica/require-feed.ts';

export type SharedStores = Required<Pick<Config, 'databaseUrl' | 'blobStore'>>;

/**
 * What several servers share, as a verb reads it: a copy of PostgreSQL as of one moment, the bucket of that moment, and the object
 * store itself. The copies are in a folder of their own until it is closed; no server is asked, and none is disturbed.
 * @throws FeedError DATABASE_EMPTY, and those of `openReplica` and `openS3Store`
 */
export async function openSharedReading(
  { databaseUrl, blobStore }: SharedStores,
  env: Readonly<Record<string, string | undefined>>,
) {
  const database = await requireFeed(databaseUrl);
  const log = createLogger('error');
  const dir = await mkdtemp(join(tmpdir(), 'go-win-tools-copy-'));
  const file = join(dir, 'catalog.db');
  try {
    // It is never brought up to date again, so that all that is read is of one moment.
    const replica = await openReplica(databaseUrl, file, log);
    const history = createSqlSharedHistory(replica.database, () => new Date());
    const blobs = await openS3Store(blobStore, join(dir, 'uploads'));
    return {
      blobs: { ...blobs, list: () => without(packsIn(replica.database), blobs.list()) },
      database,
      async openBucket() {
        const bucket = join(dir, 'bucket');
        await mkdir(bucket, { recursive: true });
        const silent = createLogger('silent');
        await copySharedBucket({ dir: bucket, env, log: silent, history, blobs }).catch((error: unknown) =>
          throwDamage(error, blobStore),
        );
        return bucket;
      },
      async takeSnapshot(copy: string) {
        await (await takeSnapshot(file, copy)).close();
        forgetSharing(copy);
        return openSnapshot(copy);
      },
      async noteBackup(backup: Backup) {
        await createSqlBackups(replica.database).note(backup);
        return true;
      },
      async close() {
        replica.close();
        await rm(dir, { recursive: true, force: true, maxRetries: 3 });
      },
    };
  } catch (error) {
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    throw error;
  }
}

/** What only matters where several servers share the data; the bucket's history is in its repository. */
const ofSharing = [
  ...['bucket_refs', 'bucket_checkpoints', 'bucket_pushes'],
  ...['blob_claims', 'blob_removals', 'blob_orphans'],
];

/** Makes a copy what a server alone has. */
function forgetSharing(file: string): void {
  const { exec, close } = openDatabase(file);
  try {
    exec('DROP TABLE replica_copy');
    for (const table of ofSharing) exec(`DELETE FROM ${table}`);
  } finally {
    close();
  }
}

/** Blobs that are the bucket. */
function packsIn({ prepare }: Connection): ReadonlySet<string> {
  const sql = 'SELECT pack_sha256 FROM bucket_pushes UNION SELECT pack_sha256 FROM bucket_checkpoints';
  return new Set(prepare(sql).pluck().all() as string[]);
}

async function* without(
  left: ReadonlySet<string>,
  blobs: AsyncIterable<StoredBlob>,
): AsyncGenerator<StoredBlob> {
  for await (const blob of blobs) if (!left.has(blob.sha256)) yield blob;
}

/** @throws FeedError BUCKET_OBJECT_DAMAGED, and whatever else was wrong */
function throwDamage(error: unknown, { bucket, prefix }: SharedStores['blobStore']): never {
  const cause = error instanceof FeedError && error.code === 'BUCKET_BEHIND' ? error.cause : error;
  if (cause instanceof FeedError && cause.code !== 'GIT_FAILED') throw cause;
  const problem = messageOf(cause instanceof FeedError ? cause.cause : cause).replace(/\s+/g, ' ');
  return fail('BUCKET_OBJECT_DAMAGED', { store: `s3://${bucket}/${prefix}`, problem }, error);
}
