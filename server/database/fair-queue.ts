/** One that waits for its turn. */
export type Waiter = {
  /** Goes before those that are not quick. */
  readonly isQuick: boolean;
  /** Requests with the same value share their turns. */
  readonly from: string;
};

export type FairQueue<W extends Waiter> = {
  /** Adds it to the queue. If the queue is full, returns the one that is removed: the last of those who have most waiting. */
  add(waiter: W): W | undefined;
  /** Removes and returns the next one. */
  next(): W | undefined;
  remove(waiter: W): void;
  /** Removes and returns all. */
  clear(): readonly W[];
};

/** The number of addresses whose last turn is remembered. */
const maxRemembered = 1000;

/**
 * Holds at most `max` requests, and serves those first whose last turn was longest ago, so that one who asks for much only delays
 * themselves.
 */
export function createFairQueue<W extends Waiter>(max: number): FairQueue<W> {
  let waiting: readonly W[] = [];
  /**
   * In the order of their last turns. Kept while anybody waits, since one who asks again after each turn would otherwise always
   * seem new.
   */
  const served = new Map<string, number>();
  let turn = 0;

  function remove(waiter: W): void {
    waiting = waiting.filter((other) => other !== waiter);
    if (waiting.length === 0) served.clear();
  }

  function noteServed(from: string): void {
    turn += 1;
    served.delete(from);
    served.set(from, turn);
    const [longestAgo] = served.keys();
    if (served.size > maxRemembered && longestAgo !== undefined) served.delete(longestAgo);
  }

  return {
    add(waiter) {
      waiting = [...waiting, waiter];
      if (waiting.length <= max) return undefined;
      const counts = new Map<string, number>();
      for (const { from } of waiting) counts.set(from, (counts.get(from) ?? 0) + 1);
      const most = Math.max(...counts.values());
      // The new one itself, if nobody else has more waiting.
      const tooMany =
        (counts.get(waiter.from) ?? 0) === most
          ? waiter
          : (waiting.findLast(({ from }) => counts.get(from) === most) ?? waiter);
      remove(tooMany);
      return tooMany;
    },
    next() {
      const quick = waiting.filter(({ isQuick }) => isQuick);
      const [first, ...others] = quick.length > 0 ? quick : waiting;
      if (first === undefined) return undefined;
      const lastTurn = ({ from }: W) => served.get(from) ?? 0;
      const chosen = others.reduce((best, one) => (lastTurn(one) < lastTurn(best) ? one : best), first);
      remove(chosen);
      noteServed(chosen.from);
      return chosen;
    },
    remove,
    clear() {
      const all = waiting;
      waiting = [];
      served.clear();
      return all;
    },
  };
}
