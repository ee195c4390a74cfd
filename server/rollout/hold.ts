import type { Rollout } from './rollout.ts';

/**
 * A longer gap between two ticks is time in which no server ran: it counts as one tick. So a server that was down for a
 * day goes on where it was, and a clock that jumps shortens no hold.
 */
export const longestTickMs = 30_000;

/** Of two servers whose clocks differ by less, the slower one counts nothing that the other has counted. */
const longestSkewMs = 10 * 60_000;

/** The time that has passed since it was last counted, as far as it belongs to the hold. */
export function count<R extends Pick<Rollout, 'state' | 'held' | 'countedTo'>>(rollout: R, now: number): R {
  if (rollout.countedTo === now) return rollout;
  const ahead = rollout.countedTo - now;
  if (ahead > 0 && ahead < longestSkewMs) return rollout;
  if (rollout.state !== 'rolling') return { ...rollout, countedTo: now };
  const passed = Math.min(Math.max(0, now - rollout.countedTo), longestTickMs);
  return { ...rollout, held: rollout.held + passed, countedTo: now };
}
