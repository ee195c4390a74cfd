import { fail } from '../errors.ts';

/**
 * Limits the work for one push, where it is done: a few kilobytes of objects can refer to each other so often that walking them
 * would never end.
 */
export interface WorkBudget {
  /** @throws FeedError PUSH_TOO_LARGE, PUSH_TOO_SLOW */
  spend(units: number): void;
}

/** At most `maxUnits` folder entries, within `maxMs`. */
export function createWorkBudget(maxUnits: number, maxMs: number, now = () => performance.now()): WorkBudget {
  const end = now() + maxMs;
  let spent = 0;
  return {
    spend(units) {
      spent += units;
      if (spent > maxUnits) {
        fail('PUSH_TOO_LARGE', {
          what: 'The push',
          found: `more than ${maxUnits} entries of folders, over all its commits,`,
          limit: maxUnits,
        });
      }
      if (now() > end) {
        fail('PUSH_TOO_SLOW', { seconds: Math.round(maxMs / 1000) });
      }
    },
  };
}
