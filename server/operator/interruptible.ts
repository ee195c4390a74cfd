import { fail } from '../errors.ts';

/**
 * Work that Ctrl-C may end at any moment, and that changes nothing for good: whatever it fails with after the signal is the
 * interruption. What comes after it is done to its end, so that a verb answers with what it did, or did nothing.
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
