import { FeedError } from '../errors.ts';

/** Counts and "last used" dates may be delayed this long (spec nuget-v2 18.1 asks for 30 s). */
const writeAfterMs = 5_000;

/** What is waiting to be written, by name. */
export type DeferredWrite<Entry> = {
  /** The entry that waits under this name, or is being written. */
  get(name: string): Entry | undefined;
  /** Schedules an entry to be written within a few seconds, together with the one that waits under this name. */
  note(name: string, entry: Entry): void;
  size(): number;
  /** Writes now. What could not be written waits for the next time. @throws what `write` throws */
  flush(): Promise<void>;
};

/**
 * Batches small writes, so that a download needs no fsync. The timer does not keep the process alive; the composition root
 * flushes when it closes.
 * @param write writes a batch: all of it, or nothing when it throws
 * @param merge joins two entries of one name; it may change and return `older`
 */
export function createDeferredWrite<Entry>(
  write: (batch: ReadonlyMap<string, Entry>) => Promise<void>,
  merge: (older: Entry, newer: Entry) => Entry,
): DeferredWrite<Entry> {
  const nothing: ReadonlyMap<string, Entry> = new Map();
  let waiting = new Map<string, Entry>();
  let writing = nothing;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  function add(name: string, older: Entry | undefined, newer: Entry): void {
    waiting.set(name, older === undefined ? newer : merge(older, newer));
  }

  async function flush(): Promise<void> {
    while (running !== undefined) await running.catch(() => undefined);
    clearTimeout(timer);
    timer = undefined;
    if (waiting.size === 0) return;
    running = writeWaiting();
    await running;
  }

  async function writeWaiting(): Promise<void> {
    writing = waiting;
    waiting = new Map();
    try {
      await write(writing);
    } catch (error) {
      // They may be there: counted twice would be worse than lost.
      if (error instanceof FeedError && error.code === 'DATABASE_UNSURE') throw error;
      const newer = waiting;
      waiting = new Map(writing);
      for (const [name, entry] of newer) add(name, waiting.get(name), entry);
      throw error;
    } finally {
      writing = nothing;
      running = undefined;
    }
  }

  // A full disk or a closed database: losing statistics is no reason to stop the server, and the next flush tries again.
  const flushUnattended = (): void => void flush().catch(() => undefined);

  return {
    get: (name) => waiting.get(name) ?? writing.get(name),
    note(name, entry) {
      add(name, waiting.get(name), entry);
      timer ??= setTimeout(flushUnattended, writeAfterMs).unref();
    },
    size: () => waiting.size,
    flush,
  };
}
