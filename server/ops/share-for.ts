/**
 * One answer for all who ask at the same time, or within a while after it was there: whoever asks often must not make the work many times.
 * One that failed is shared by those who waited for it, and by nobody after them.
 */
export function shareFor<T>(
  keptMs: number,
  make: () => Promise<T>,
  clock: () => number = () => performance.now(),
): () => Promise<T> {
  let kept: Promise<T> | undefined;
  let goodUntil = Number.POSITIVE_INFINITY;
  return () => {
    if (kept === undefined || clock() > goodUntil) {
      goodUntil = Number.POSITIVE_INFINITY;
      kept = make();
      kept.then(
        () => {
          goodUntil = clock() + keptMs;
        },
        () => {
          kept = undefined;
        },
      );
    }
    return kept;
  };
}
