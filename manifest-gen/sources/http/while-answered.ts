import type { HostFailure } from './silent-hosts.ts';

/**
 * Runs a program that would wait forever, or for minutes, for a host that accepts the connection and never answers. If it has not
 * ended after a while, we probe the host, and end the program if there is no answer.
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
