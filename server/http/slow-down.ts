import { createHash } from 'node:crypto';
import { addressGroup } from '../../formats/ip-address.ts';

export type Failure = {
  /** The address it came from. */
  readonly from: string | undefined;
  /** What was shown: the user name of Basic authentication, or else the key. */
  readonly shown: string;
};

export type SlowDown = {
  /** Notes a failure; answers with how long its refusal is to be held back. */
  failed(failure: Failure): number;
};

export type SlowDownLimits = {
  /** Failures of one user name, or key, from one address that cost nothing: choco tries a wrong password about ten times in one run (spec nuget-v2 18.2). */
  readonly free: number;
  /** Failures of one address that cost nothing, whatever is shown: for those who guess. */
  readonly freeOfAddress: number;
  readonly stepMs: number;
  readonly maxMs: number;
  /** Without a failure for so long, all is forgotten. */
  readonly forgetMs: number;
  /** How many are remembered at once; the oldest goes first. */
  readonly maxRemembered: number;
};

const defaults: SlowDownLimits = {
  free: 20,
  freeOfAddress: 500,
  stepMs: 100,
  maxMs: 2000,
  forgetMs: 60_000,
  maxRemembered: 10_000,
};

/**
 * Slows those down who keep showing wrong keys. Only refusals are held back, so a right key is never delayed and nobody
 * is ever locked out, whatever others do from the same address. A machine with an old key in its settings slows down
 * that key at that address and nothing else; hundreds of different ones from an address are somebody who guesses.
 */
export function createSlowDown(now: () => Date, limits: Partial<SlowDownLimits> = {}): SlowDown {
  const { free, freeOfAddress, stepMs, maxMs, forgetMs, maxRemembered } = { ...defaults, ...limits };
  const failures = new Map<string, { count: number; last: number }>();

  function countOf(who: string): number {
    const at = now().getTime();
    const before = failures.get(who);
    const isRecent = before !== undefined && at - before.last < forgetMs;
    const count = isRecent ? before.count + 1 : 1;
    failures.delete(who);
    failures.set(who, { count, last: at });
    const [oldest] = failures.size > maxRemembered ? failures.keys() : [];
    if (oldest !== undefined) {
      failures.delete(oldest);
    }
    return count;
  }

  return {
    failed({ from: address = '', shown }) {
      const from = addressGroup(address);
      // Hashed: no key lies about in memory, and none of them is long.
      const hash = createHash('sha256').update(shown).digest('base64url');
      const steps = Math.max(countOf(`${from} ${hash}`) - free, countOf(from) - freeOfAddress);
      return Math.min(Math.max(0, steps) * stepMs, maxMs);
    },
  };
}
