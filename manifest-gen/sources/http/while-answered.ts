import type { HostFailure } from './silent-hosts.ts';

/**
 * Runs a program that would wait for ever, or for minutes, for a host that takes the connection and says nothing. When it has not ended
 * after a while, the host is asked by us; the program is ended where nobody answers.
 */
export async function whileAnswered<T>(
  signal: AbortSignal,
  afterMs: number,
  probe: () => Promise<HostFailure | undefined>,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T | HostFailure> {
  const end = new AbortController();
  let silence: HostFailure | undefined;
  const timer = setTimeout(() => {
    probe().then(
      (found) => {
        silence = found;
        if (found !== undefined) end.abort();
      },
      // what ends the probe ends the run, too, and that one says so
      () => {},
    );
  }, afterMs);
  try {
    return await run(AbortSignal.any([signal, end.signal]));
  } catch (error) {
    if (silence === undefined || signal.aborted) throw error;
    return silence;
  } finally {
    clearTimeout(timer);
  }
}
