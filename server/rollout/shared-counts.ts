import type { StoredRollout } from './rollouts.ts';

type Kept<T> = { readonly of: string; readonly made: Promise<T>; keptUntil: number };

export type SharedCounts<T> = {
  of(rollout: StoredRollout): Promise<T>;
  forget(id: number): void;
};

/** A count of so many clients takes a tenth of a second and more, and anybody may ask: it is kept for a while. */
const manyClients = 10_000;
const keptMs = 30_000;

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
          one.keptUntil = performance.now() + (clientsIn(counted) > manyClients ? keptMs : 0);
        },
        () => kept.delete(rollout.id),
      );
      return made;
    },
    forget: (id) => void kept.delete(id),
  };
}
