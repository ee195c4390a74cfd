import { fail } from '../errors.ts';

/** The memory of one request. */
export type MemoryShare = {
  /** @throws FeedError GIT_BUSY when all requests together would use too much */
  take(bytes: number): void;
  giveBack(): void;
};

/** Limits the bytes of requests that are in memory at once. With a `holder`, one holder gets at most `maxOfOne`. */
export function createMemoryBudget(
  max: number,
  maxOfOne: number,
): { open(holder: string | undefined): MemoryShare } {
  const ofHolders = new Map<string, number>();
  let total = 0;

  function add(holder: string | undefined, bytes: number): void {
    total += bytes;
    if (holder === undefined) return;
    const now = (ofHolders.get(holder) ?? 0) + bytes;
    if (now > 0) ofHolders.set(holder, now);
    else ofHolders.delete(holder);
  }

  return {
    open(holder) {
      let own = 0;
      return {
        take(bytes) {
          own += bytes;
          add(holder, bytes);
          const isOver = holder !== undefined && (ofHolders.get(holder) ?? 0) > maxOfOne;
          if (total > max || isOver) fail('GIT_BUSY');
        },
        giveBack() {
          add(holder, -own);
          own = 0;
        },
      };
    },
  };
}
