import { fail } from '../errors.ts';

/**
 * Runs work that Ctrl-C may stop at any moment because it changes nothing permanently: any failure after the signal counts as the
 * interruption. The work after it always completes, so that a verb either reports what it did, or did nothing.
 * @param state what an interrupted run leaves behind, as the end of a sentence
 * @throws FeedError INTERRUPTED
 */
export async function interruptible<T>(
  signal: AbortSignal,
  state: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    const result = await work();
    signal.throwIfAborted();
    return result;
  } catch (error) {
    if (signal.aborted) fail('INTERRUPTED', { state }, error);
    throw error;
  }
}
