import type { Tracer } from '../tracing/tracer.ts';
import type { Services } from './app.ts';
import { traceBlobs } from './blobs/traced-store.ts';
import { ensureBucket } from './bucket/bucket.ts';
import { createSqlClientLinks } from './bucket/sql-client-links.ts';
import { createSqlBucketEvents } from './bucket/sql-events.ts';
import { createSqlPendingCommits } from './bucket/sql-pending-commits.ts';
import { createSqlSharedHistory } from './bucket/sql-shared-history.ts';
import { createSqlCatalog } from './catalog/sql/catalog.ts';
import { createSqlPayloads } from './catalog/sql/payloads.ts';
import { createSqlPendingBlobs } from './catalog/sql/pending-blobs.ts';
import type { Config } from './config.ts';
import { asDataDirError, lockBlobs, openDataDir } from './data-dir.ts';
import { reservePlaces } from './data-modes.ts';
import { migrations } from './database/migrations.ts';
import { openScans } from './database/scans.ts';
import { createSqlAudit } from './database/sql-audit.ts';
import { createSqlBackups } from './database/sql-backups.ts';
import { createSqlDownloads } from './database/sql-downloads.ts';
import { createSqlRefusals } from './database/sql-refusals.ts';
import { createBlobFlusher } from './feed/flush-blobs.ts';
import { createInspector } from './feed/inspector.ts';
import { createOrphanCollector } from './feed/orphan-collector.ts';
import { createPruning } from './feed/prune.ts';
import { createPurging } from './feed/purge.ts';
import { createRereading, type Rereading } from './feed/reread.ts';
import { createSqlKeys } from './keys/sql-keys.ts';
import type { Logger } from './log.ts';
import { afterChanges } from './rollout/after-changes.ts';
import { createRolloutRunner, type RolloutRunner } from './rollout/runner.ts';
import { openRollouts } from './rollout-services.ts';
import { forgetServer } from './server-file.ts';
import { openStores } from './stores.ts';
import { createSqlTrust } from './trust/sql-trust.ts';

export type ServiceDeps = {
  readonly now: () => Date;
  readonly log: Logger;
  readonly publicUrl: () => string;
  readonly version: string;
  readonly productDir: string;
  readonly isStopping: () => boolean;
  readonly isLeaving?: (() => boolean) | undefined;
  readonly isFilling?: (() => boolean) | undefined;
  readonly certificateExpiry?: (() => Date | undefined) | undefined;
  /** Which process of a server this is, for whoever asks /healthz; verbs have none. */
  readonly instance?: string;
  readonly sbomHash?: string | undefined;
  /** A key with every scope, valid until these services are closed. */
  readonly operatorKey?: string;
  readonly tracer?: Tracer | undefined;
  /** How often the time of rollouts passes. */
  readonly rolloutTickMs?: number | undefined;
  /** The environment of the process, for git: PATH and the like. */
  readonly env: Readonly<Record<string, string | undefined>>;
};

export type OpenServices = {
  readonly services: Services;
  /** Only a server starts it; verbs do not wait for it. */
  readonly rereading: Pick<Rereading, 'start'>;
  /** Lets the time of rollouts pass; only a server starts it. */
  readonly runner: Pick<RolloutRunner, 'start'>;
  /** Writes counters and times of last use that are still in memory. */
  flush(): Promise<void>;
  /** Flushes, closes the database and releases the lock. */
  close(): Promise<void>;
};

const blobsNotDurable = 'small blobs are not durable as files yet, their bytes stay in the database';

/**
 * The composition root: the only place that knows which database and which blob store are behind the ports. It takes the data
 * folder's lock before it opens anything in the folder.
 * @throws FeedError DATA_DIR_UNUSABLE, DATA_DIR_OPEN, DATA_DIR_IN_USE, DATABASE_DRIVER, CATALOG_DAMAGED, CATALOG_NEWER,
 *   GIT_MISSING, GIT_FAILED
 */
export async function openServices(config: Config, deps: ServiceDeps): Promise<OpenServices> {
  const { now } = deps;
  const dataDir = openDataDir(config.dataDir);
  // Run in reverse order and completely, after closing and after a failure halfway.
  const undo: (() => unknown)[] = [dataDir.release];
  async function tearDown(): Promise<void> {
    const step = undo.pop();
    if (step === undefined) {
      return;
    }
    try {
      await step();
    } finally {
      await tearDown();
    }
  }
  try {
    const { closed, isShared } = dataDir.modes;
    if (closed.length > 0) deps.log.warn({ closed }, 'closed to other users of this machine');
    if (isShared) {
      deps.log.warn(
        { dataDir: config.dataDir },
        'the data folder keeps its mode, since other things are in it or root made it for our group; what is ours in it is private',
      );
    }
    // What replicas keep has a private folder of its own.
    if (config.databaseUrl === undefined) reservePlaces(config.dataDir);
    forgetServer(config.dataDir);
    const stores = await openStores(config, dataDir, deps);
    const { database, shared } = stores;
    undo.push(stores.close);
    const scans = openScans(stores.databaseFile);
    undo.push(scans.close);
    const catalog = createSqlCatalog(database, now, scans);
    const keys = createSqlKeys(database, {
      now,
      adminApiKey: config.adminApiKey,
      operatorKey: deps.operatorKey,
    });
    const downloads = createSqlDownloads(database, now);
    const refusals = createSqlRefusals(database, now);
    const { reservedIds = [], approvals = [] } = config;
    const opened = openRollouts(database, { catalog, approvals, now });
    const { clients, views, heldManifests } = opened;
    async function flush(): Promise<void> {
      await catalog.flush();
      await downloads.flush();
      await refusals.flush();
      await keys.flush();
      await clients.flush();
    }
    undo.push(async () => {
      // On a full disk too: losing statistics must not prevent a stop, and the lock has to be released.
      await flush().catch((error: unknown) => deps.log.error({ err: error }, 'counters not written'));
    });
    const payloads = createSqlPayloads(database);
    const audit = createSqlAudit(database, now);
    const events = createSqlBucketEvents(database, now);
    const { blobs: stored, purgeQueue, orphans, cacheRoom, close: closeBlobs } = await stores.openBlobs();
    const blobs = deps.tracer ? traceBlobs(stored, shared === undefined ? 'disk' : 's3') : stored;
    undo.push(closeBlobs);
    const bucket = await ensureBucket({
      ...deps,
      dir: stores.bucketDir,
      payloads,
      held: catalog.listHeld,
      events,
      reservedIds,
      approvals,
      pendingCommits: createSqlPendingCommits(database),
      clients: {
        views,
        links: createSqlClientLinks(database),
        manifests: heldManifests,
        receive: opened.rollouts.receive,
        now,
      },
      ...(shared && { shared: { history: createSqlSharedHistory(database, now), blobs } }),
    });
    undo.push(bucket.close);
    const blobFlusher = createBlobFlusher({
      blobs,
      pendingBlobs: createSqlPendingBlobs(database),
      log: deps.log,
    });
    // On a full disk too: what can be read is still served.
    await blobFlusher.recover().catch((error: unknown) => deps.log.error({ err: error }, blobsNotDurable));
    undo.push(() =>
      blobFlusher.flush().catch((error: unknown) => deps.log.error({ err: error }, blobsNotDurable)),
    );
    const purging = createPurging({
      catalog,
      blobs,
      blobFlusher: blobFlusher,
      bucket,
      purgeQueue,
      lockForRemoving: async () => lockBlobs(config.dataDir, 'removing'),
      log: deps.log,
    });
    undo.push(purging.close);
    await purging.sweep();
    const pruning = createPruning({ catalog, bucket, blobFlusher, purging, now });
    const collector = orphans && createOrphanCollector({ blobs, orphans, purging, now, log: deps.log });
    if (collector !== undefined) undo.push(collector.stop);
    const inspector = createInspector();
    undo.push(inspector.close);
    const rereading = createRereading({ unread: catalog.unreadNuspecs, blobs, log: deps.log });
    undo.push(rereading.stop);
    // What a rollout changes in the bucket and among the bytes is done before the request is answered.
    const rollouts = afterChanges(opened.rollouts, async () => {
      await bucket
        .finishCommits()
        .catch((error: unknown) => deps.log.error({ err: error }, 'the bucket does not have it yet'));
      void purging.sweep();
    });
    const runner = createRolloutRunner({ rollouts, log: deps.log }, deps.rolloutTickMs);
    undo.push(runner.stop);
    const services: Services = {
      ...deps,
      config,
      freshness: shared?.freshness,
      catalog,
      revisions: catalog.revisions,
      keys,
      trust: createSqlTrust(database, now),
      ...opened,
      rollouts,
      payloads,
      audit,
      downloads,
      refusals,
      bucket,
      blobs,
      blobFlusher: blobFlusher,
      inspect: inspector.inspect,
      purging,
      installation: {
        dataDir: config.dataDir,
        schemaVersion: migrations.length,
        backups: createSqlBackups(database),
        cacheRoom,
        collectorRuns: collector?.runs,
      },
      pruning,
    };
    shared?.start();
    collector?.start();
    if (shared !== undefined) purging.watch();
    return { services, rereading, runner, flush, close: tearDown };
  } catch (error) {
    await tearDown();
    throw asDataDirError(error, config.dataDir);
  }
}
