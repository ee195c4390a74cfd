/** One that waits for its turn. */
export type Waiter = {
  /** Goes before those that are not. */
  readonly isQuick: boolean;
  /** Those with an equal text share their turns. */
  readonly from: string;
};

export type FairQueue<W extends Waiter> = {
  /** Lets it wait. When nobody else may, the one that cannot is given back: the last of those who wait for most. */
  add(waiter: W): W | undefined;
  /** Whose turn it is. It waits no longer. */
  next(): W | undefined;
  remove(waiter: W): void;
  /** All that wait; then nobody does. */
  clear(): readonly W[];
};

/** How many are remembered, of those who had a turn. */
const maxRemembered = 1000;

/** Lets `max` wait, and whoever had a turn last has the next one last: one who asks for much holds up nobody but themselves. */
export function createFairQueue<W extends Waiter>(max: number): FairQueue<W> {
  let waiting: readonly W[] = [];
  /** In the order of their last turns. Kept while anybody waits, or one who asks again after each turn would always be new. */
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
      // The newcomer itself, when nobody waits for more than it does.
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
