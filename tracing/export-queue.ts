import { setTimeout as delay } from 'node:timers/promises';
import type { Span } from './spans.ts';

/** A trace that is to be sent, or this program's part of it. */
export type KeptTrace = {
  readonly traceId: string;
  readonly spans: readonly Span[];
  /** The parent of the first span is in another process. */
  readonly isJoined: boolean;
};

export type Outcome = 'exported' | 'failed' | 'dropped';

/** Sends traces in one request. Rejects with a reason that holds no secret; aborted, it ends at once. */
export type Send = (traces: readonly KeptTrace[], signal: AbortSignal) => Promise<void>;

export type ExportQueue = {
  /** Never waits and never throws. */
  add(trace: KeptTrace): void;
  /** Sends what is waiting, for two seconds at most, and drops the rest. */
  close(): Promise<void>;
};

export type QueueOptions = {
  readonly send: Send;
  /** `reason`: why it failed. */
  readonly settled: (trace: KeptTrace, outcome: Outcome, reason?: string) => void;
  /** Called when sending fails after it worked, and when it works again (undefined), not for each batch. */
  readonly report: (failure: Error | undefined) => void;
  readonly limits?: Partial<typeof queueLimits>;
};

/** `batchSpans`: a batch that is not longer waits for others, for so long. */
export const queueLimits = { spans: 8192, batchSpans: 512, waitMs: 1_000, closeMs: 2_000 };

/** Traces that wait to be sent, one batch after the other. What finds no room is dropped: memory is limited, and nobody waits. */
export function createExportQueue({ send, settled, report, limits }: QueueOptions): ExportQueue {
  const { spans: maxSpans, batchSpans, waitMs, closeMs } = { ...queueLimits, ...limits };
  const stop = new AbortController();
  let waiting: KeptTrace[] = [];
  /** Of those that wait. */
  let spans = 0;
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<void> | undefined;
  let isFailing = false;

  function takeBatch(): readonly KeptTrace[] {
    let count = 0;
    let size = 0;
    for (const trace of waiting) {
      if (count > 0 && size + trace.spans.length > batchSpans) break;
      count += 1;
      size += trace.spans.length;
    }
    const batch = waiting.slice(0, count);
    waiting = waiting.slice(count);
    spans -= size;
    return batch;
  }

  async function sendAll(): Promise<void> {
    while (waiting.length > 0 && !stop.signal.aborted) {
      const batch = takeBatch();
      const failure = await send(batch, stop.signal).then(
        () => undefined,
        (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
      );
      const dropped = failure !== undefined && stop.signal.aborted;
      for (const trace of batch)
        settled(
          trace,
          failure === undefined ? 'exported' : dropped ? 'dropped' : 'failed',
          dropped ? undefined : failure?.message,
        );
      if (dropped || isFailing === (failure !== undefined)) continue;
      isFailing = failure !== undefined;
      report(failure);
    }
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    sending ??= sendAll().finally(() => {
      sending = undefined;
      // What came after the last look.
      if (waiting.length > 0) flushLater();
    });
    return sending;
  }

  function flushLater(): void {
    timer ??= setTimeout(flush, waitMs).unref();
  }

  return {
    add(trace) {
      if (stop.signal.aborted || spans + trace.spans.length > maxSpans) {
        settled(trace, 'dropped');
        return;
      }
      waiting.push(trace);
      spans += trace.spans.length;
      if (sending !== undefined) return;
      if (spans >= batchSpans) void flush();
      else flushLater();
    },
    async close() {
      const deadline = new AbortController();
      await Promise.race([
        flush(),
        delay(closeMs, undefined, { signal: deadline.signal }).catch(() => undefined),
      ]);
      deadline.abort();
      stop.abort();
      await sending;
      for (const trace of waiting) settled(trace, 'dropped');
      waiting = [];
      spans = 0;
    },
  };
}
