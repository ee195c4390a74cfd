/** Counts and "last used" dates may be delayed this long (spec nuget-v2 18.1 asks for 30 s). */
const writeAfterMs = 5_000;

export type DeferredWrite = {
  /** Schedules a write within a few seconds. */
  wake(): void;
  /** Writes now. */
  flush(): void;
};

/**
 * Batches small writes, so that a download needs no fsync. `write` writes everything that is waiting, and must keep it when it
 * throws. The timer does not keep the process alive; the composition root flushes when it closes.
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
      // A full disk or a closed database: losing statistics is no reason to stop the server, and the next flush tries again.
    }
  }

  function wake(): void {
    timer ??= setTimeout(flushUnattended, writeAfterMs).unref();
  }

  return { wake, flush };
}
