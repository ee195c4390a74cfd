import type { Actor } from '../audit/audit.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { PurgeQueue } from '../blobs/purge-queue.ts';
import type { BucketMark, Catalog, Purged } from '../catalog/catalog.ts';
import { fail } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { BlobFlusher } from './flush-blobs.ts';
import { normalized, versionsIn } from './versions-in.ts';

export type PurgeServices = {
  readonly catalog: Catalog;
  readonly blobs: BlobStore;
  readonly purgeQueue: PurgeQueue;
  readonly blobFlusher: Pick<BlobFlusher, 'flush'>;
  readonly bucket: {
    listManifests(
      channel: 'main' | 'beta',
    ): Promise<readonly { readonly tool: string; readonly version: string; readonly text: string }[]>;
    /** Runs while no push is checked and no branch moves; `seen` says where branches are that other servers may move. */
    between<Answer>(work: (seen?: BucketMark) => Promise<Answer>): Promise<Answer>;
    /** Publishes what the server itself decided, where that is still to be done. */
    finishCommits(): Promise<void>;
  };
  /** Held while blobs are removed; undefined while a backup, an export or a check reads them. */
  readonly lockForRemoving: () => Promise<(() => void) | undefined>;
  readonly log: Logger;
};

export type PurgeOrder = {
  readonly id: string;
  readonly version: string;
  readonly reason: string;
  /** Purges even a version that a branch of the bucket offers (that manifest then leads to 410), but none of an open rollout. */
  readonly force?: boolean | undefined;
};

/** `isWaiting`: the bytes are removed as soon as the backup, export or check that reads them has ended. */
export type PurgeReport = Purged & { readonly isWaiting: boolean };

export type Purging = {
  /** @throws FeedError PACKAGE_NOT_FOUND, PURGE_OFFERED, PURGE_ROLLOUT, PATH_INVALID */
  purge(order: PurgeOrder, by: Actor): Promise<PurgeReport>;
  /** Removes the bytes of rows that are purged; false: they wait for a backup, an export or a check that reads them. */
  removeBytes(): Promise<boolean>;
  /** Removes what earlier purges left behind: call it after a start. It repeats itself as long as something waits. */
  sweep(): Promise<boolean>;
  /** Where servers share the blobs: finishes every few minutes what another one left behind that has died. */
  watch(everyMs?: number): void;
  close(): Promise<void>;
};

const retryMs = 20_000;
/** Repeated failures, for example on a full disk, make the pauses longer. */
const maxRetryMs = 60 * 60_000;
const maxAttempts = 20;
const watchMs = 5 * 60_000;

/**
 * Removes the bytes of a version for good, where a law or a leaked secret requires it. One transaction deletes its rows, notes
 * that the version must never be used again and writes the audit entry; from then on the answer is 410. Then its bytes are
 * removed from the disk, and from the pages of the database. After a crash in between, the next start continues.
 */
export function createPurging(services: PurgeServices): Purging {
  const { catalog, blobs, purgeQueue, blobFlusher, lockForRemoving, log } = services;
  let timer: NodeJS.Timeout | undefined;
  let watching: NodeJS.Timeout | undefined;
  let isWatchBusy = false;
  let retries = 0;
  let running: Promise<boolean> = Promise.resolve(true);

  async function purge(order: PurgeOrder, by: Actor): Promise<PurgeReport> {
    const purged = await removeUnoffered(order, by);
    return { ...purged, isWaiting: !(await removeBytes()) };
  }

  async function removeBytes(): Promise<boolean> {
    const isDone = await sweep();
    // The later run finds what a push stored that was in progress and came too late.
    if (isDone) again(retryMs);
    return isDone;
  }

  async function removeUnoffered(order: PurgeOrder, by: Actor): Promise<Purged> {
    const { id, version, force = false } = order;
    const wanted = normalized(version) ?? fail('PATH_INVALID', { problem: `${version} is not a version.` });
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      // A push that was checked before must not offer afterwards what is gone by then.
      const is = await services.bucket.between(async (seen) => {
        if (force) return removeRows(order, by);
        await refuseOffered(services, id, wanted);
        return removeRows(order, by, { seen });
      });
      // A rollout has ended whose version no branch has yet: with it, the branches are looked at again.
      if (is === 'unpublished') await services.bucket.finishCommits();
      else if (is !== 'overtaken') return is;
    }
    return fail('GIT_BUSY');
  }

  async function removeRows(
    { id, version, reason }: PurgeOrder,
    by: Actor,
    unoffered?: { readonly seen: BucketMark | undefined },
  ): Promise<Purged | 'overtaken' | 'unpublished'> {
    for (let attempt = 1; ; attempt++) {
      const is = await catalog.purge(id, version, by, reason, unoffered);
      if (is === 'missing') return fail('PACKAGE_NOT_FOUND', { id, version });
      if (is === 'rolling out') return fail('PURGE_ROLLOUT', { id, version });
      if (is !== 'pending') return is;
      if (attempt >= maxAttempts) return fail('INTERNAL');
      await blobFlusher.flush();
    }
  }

  function again(afterMs: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => void sweep(), afterMs).unref();
  }

  /** One run at a time. */
  function sweep(): Promise<boolean> {
    running = running.then(sweepOnce).catch((error: unknown) => {
      log.error({ err: error }, 'purged bytes could not be removed yet; the server will try again');
      return false;
    });
    return running.then((isDone) => {
      if (isDone) retries = 0;
      else again(Math.min(retryMs * 2 ** retries++, maxRetryMs));
      return isDone;
    });
  }

  async function sweepOnce(): Promise<boolean> {
    const waiting = await purgeQueue.list();
    if (waiting.length === 0 && (await purgeQueue.isScrubbed())) return true;
    const unlock = await lockForRemoving();
    if (unlock === undefined) return false;
    try {
      let isDone = true;
      for (const sha256 of waiting) {
        if (!(await purgeQueue.removeUnnamed(sha256, (until) => blobs.remove(sha256, until)))) isDone = false;
      }
      return ((await purgeQueue.isScrubbed()) || (await purgeQueue.scrub())) && isDone;
    } finally {
      unlock();
    }
  }

  return {
    purge,
    removeBytes,
    sweep,
    watch(everyMs = watchMs) {
      watching = setInterval(() => {
        if (isWatchBusy) return;
        isWatchBusy = true;
        void sweep().finally(() => {
          isWatchBusy = false;
        });
      }, everyMs).unref();
    },
    async close() {
      clearInterval(watching);
      await running;
      clearTimeout(timer);
    },
  };
}

/** A branch that offers a purged version breaks `scoop install`, so the version has to be withdrawn there first. */
async function refuseOffered({ bucket }: PurgeServices, id: string, version: string): Promise<void> {
  const tool = id.toLowerCase();
  for (const channel of ['main', 'beta'] as const) {
    const manifests = await bucket.listManifests(channel);
    if (versionsIn(manifests).get(tool)?.has(version) === true)
      fail('PURGE_OFFERED', { id: tool, version, channel });
  }
}
