import type { StoredRollout } from './rollouts.ts';

type Kept<T> = { readonly of: string; readonly made: Promise<T>; keptUntil: number };

export type SharedCounts<T> = {
  of(rollout: StoredRollout): Promise<T>;
};

/** Anybody may ask: a count of so many clients is kept for a while, some hundred times as long as it takes. */
const manyClients = 1_000;
const keptMsForEach = 3;
const maxKeptMs = 30_000;

/** Many who ask at once share one count. @param clientsIn how many clients were counted */
export function shareCounts<T>(
  count: (rollout: StoredRollout) => Promise<T>,
  clientsIn: (counted: T) => number,
): SharedCounts<T> {
  const kept = new Map<number, Kept<T>>();
  return {
    of(rollout) {
      const of = `${rollout.state} ${rollout.step}`;
      const last = kept.get(rollout.id);
      if (last?.of === of && performance.now() < last.keptUntil) return last.made;
      const made = count(rollout);
      const one = { of, made, keptUntil: Number.POSITIVE_INFINITY };
      kept.set(rollout.id, one);
      made.then(
        (counted) => {
          const clients = clientsIn(counted);
          const keptMs = clients < manyClients ? 0 : Math.min(maxKeptMs, clients * keptMsForEach);
          one.keptUntil = performance.now() + keptMs;
        },
        () => kept.delete(rollout.id),
      );
      return made;
    },
  };
}
