import type { Rollouts } from './rollouts.ts';

/**
 * Rollouts that do `finish` after each change and before it is answered: what is already decided, and is left to be done outside
 * of the database. It never fails, since the change is durable.
 */
export function afterChanges(rollouts: Rollouts, finish: () => Promise<void>): Rollouts {
  const then = async <T>(change: Promise<T>): Promise<T> => {
    const answer = await change;
    await finish();
    return answer;
  };
  return {
    ...rollouts,
    start: (...args) => then(rollouts.start(...args)),
    act: (...args) => then(rollouts.act(...args)),
    correct: (...args) => then(rollouts.correct(...args)),
    discard: (...args) => then(rollouts.discard(...args)),
    async tick() {
      const changed = await rollouts.tick();
      if (changed.length > 0) await finish();
      return changed;
    },
    takeAlerts: (...args) => then(rollouts.takeAlerts(...args)),
  };
}
