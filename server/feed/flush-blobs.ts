import type { BlobStore, Upload } from '../blobs/blob-store.ts';
import type { PendingBlob, PendingBlobs } from '../blobs/pending-blobs.ts';
import type { Logger } from '../log.ts';

const mebibyte = 1024 ** 2;

export type FlushLimits = {
  /** By then the operating system has written most files by itself, so that little is left to wait for. */
  readonly afterMs: number;
  /** So many bytes are not waited with. */
  readonly atBytes: number;
  /** More than that never wait: from there on each push waits for its own file. */
  readonly maxBytes: number;
};

const defaults: FlushLimits = { afterMs: 40_000, atBytes: 16 * mebibyte, maxBytes: 32 * mebibyte };

/** How many files are settled in one go. */
const batchSize = 200;

export type BlobFlusher = {
  /**
   * The bytes of an upload become visible. The bytes that it returns are kept with the row that names them (`NewPackage.pendingBytes`),
   * for they are not durable as a file yet. @throws FeedError STORAGE_FULL
   */
  commit(upload: Upload): Promise<Buffer | undefined>;
  /** Makes durable what waits. @throws the errors of the file system; nothing is forgotten then */
  flush(): Promise<void>;
  /** After a start: writes the files that a power cut may have torn anew, before anybody reads them. */
  recover(): Promise<void>;
};

/**
 * Small blobs are made durable in the background: a push of some kilobytes waits for one fsync, that of its
 * transaction, instead of three (decision 17).
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
  /** After a failed fsync the next one may say that all is well without having written anything. */
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
      // What comes meanwhile waits for its own turn.
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
