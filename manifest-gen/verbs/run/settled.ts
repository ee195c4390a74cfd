import pMap from 'p-map';

/**
 * The results in the order of the items. Waits for all, even if one throws, so that nothing works on in a folder that is about to
 * be removed.
 * @throws the first error
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
