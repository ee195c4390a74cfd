/** Counts and "last used" dates may wait: clients see them within this time (spec nuget-v2 18.1 asks for 30 s). */
const writeAfterMs = 5_000;

export type DeferredWrite = {
  /** Something waits: a write follows within a few seconds. */
  wake(): void;
  /** Writes now. */
  flush(): void;
};

/**
 * Batches small writes, so that a download costs no fsync. `write` takes all that waits and must leave it waiting
 * when it throws. The timer keeps no process alive; the composition root flushes when it closes.
 */
export function createDeferredWrite(write: () => void): DeferredWrite {
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    write();
  }

  function flushUnattended(): void {
    try {
      flush();
    } catch {
      // A full disk or a closed database: statistics are no reason to stop the server; the next flush tries again.
    }
  }

  function wake(): void {
    timer ??= setTimeout(flushUnattended, writeAfterMs).unref();
  }

  return { wake, flush };
}
