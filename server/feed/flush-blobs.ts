import type { BlobStore, Upload } from '../blobs/blob-store.ts';
import type { PendingBlob, PendingBlobs } from '../blobs/pending-blobs.ts';
import type { Logger } from '../log.ts';

const mebibyte = 1024 ** 2;

export type FlushLimits = {
  /** By then the operating system has written most files, so that an fsync takes little time. */
  readonly afterMs: number;
  /** This many bytes are flushed without waiting. */
  readonly atBytes: number;
  /** Above this size nothing is pending: each push waits for its own file. */
  readonly maxBytes: number;
};

const defaults: FlushLimits = { afterMs: 40_000, atBytes: 16 * mebibyte, maxBytes: 32 * mebibyte };

/** Files per batch. */
const batchSize = 200;

export type BlobFlusher = {
  /**
   * Makes the bytes of an upload visible. If it returns bytes, they are not durable as a file yet and have to be stored with the
   * row that names them (`NewPackage.pendingBytes`).
   * @throws FeedError STORAGE_FULL
   */
  commit(upload: Upload): Promise<Buffer | undefined>;
  /** Makes everything pending durable. @throws the errors of the file system; nothing is forgotten then */
  flush(): Promise<void>;
  /** After a start: rewrites files that a power cut may have damaged, before anybody reads them. */
  recover(): Promise<void>;
};

/**
 * Makes small blobs durable in the background: a push of some kilobytes waits for one fsync, that of its transaction, instead of
 * three (decision 17).
 */
export function createBlobFlusher(
  services: { readonly blobs: BlobStore; readonly pendingBlobs: PendingBlobs; readonly log: Logger },
  limits: Partial<FlushLimits> = {},
): BlobFlusher {
  const { blobs, pendingBlobs, log } = services;
  const { afterMs, atBytes, maxBytes } = { ...defaults, ...limits };
  let waitingBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  /** After a failed fsync the next one may report success without having written anything. */
  let mustRewrite = false;

  async function commit(upload: Upload): Promise<Buffer | undefined> {
    if (waitingBytes + upload.digest.sizeBytes > maxBytes) {
      await upload.commit();
      return undefined;
    }
    const bytes = await upload.commitPending();
    if (bytes !== undefined) {
      waitingBytes += bytes.length;
      timer ??= setTimeout(flushUnattended, afterMs).unref();
      if (waitingBytes > atBytes) flushUnattended();
    }
    return bytes;
  }

  function flushUnattended(): void {
    flush().catch((error: unknown) => {
      log.error({ err: error }, 'blobs could not be made durable, their bytes stay in the database');
    });
  }

  function flush(): Promise<void> {
    running ??= flushAll().finally(() => {
      running = undefined;
    });
    return running;
  }

  async function flushAll(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    for (;;) {
      const batch = await pendingBlobs.list(batchSize);
      if (batch.length > 0) await flushBatch(batch);
      // Blobs that arrive meanwhile wait for the next flush.
      if (batch.length < batchSize) break;
    }
  }

  async function flushBatch(batch: readonly PendingBlob[]): Promise<void> {
    try {
      if (mustRewrite) await rewrite(batch);
      await blobs.flush(batch.map(({ sha256 }) => sha256));
    } catch (error) {
      mustRewrite = true;
      throw error;
    }
    mustRewrite = false;
    const last = batch.at(-1);
    if (last !== undefined) await pendingBlobs.forget(last);
    waitingBytes = Math.max(0, waitingBytes - batch.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  }

  async function rewrite(batch: readonly PendingBlob[]): Promise<void> {
    for (const blob of batch) await blobs.repair(blob.sha256, await pendingBlobs.bytesOf(blob));
  }

  async function recover(): Promise<void> {
    const all = await pendingBlobs.list(Number.MAX_SAFE_INTEGER);
    waitingBytes = all.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (all.length > 0) timer ??= setTimeout(flushUnattended, afterMs).unref();
    await rewrite(all);
  }

  return { commit, flush, recover };
}
