/**
 * Shares one answer between all who ask at the same time, or within a while afterwards, so that frequent requests do not repeat
 * the work. A failure is shared by those who were waiting for it and nobody else.
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
