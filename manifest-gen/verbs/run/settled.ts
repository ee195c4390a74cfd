import pMap from 'p-map';

/**
 * The answers in the order of the items. Waits for all, also when one has thrown: nobody works on in a folder that is about to go.
 * @throws what was thrown first
 */
export async function settled<T, R>(
  items: readonly T[],
  concurrency: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  try {
    return await pMap(items, work, { concurrency, stopOnError: false });
  } catch (error) {
    throw error instanceof AggregateError ? error.errors[0] : error;
  }
}
