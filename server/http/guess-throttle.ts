import { createHmac, randomBytes } from 'node:crypto';
import { addressGroup } from '../../formats/ip-address.ts';

/** A secret that nobody has was shown. */
export type Failure = {
  /** The address it came from. */
  readonly from: string | undefined;
  /** The user of Basic authentication; empty where there is none, as beside a key in a header of its own. */
  readonly user: string;
  /** The password or key that was shown. */
  readonly secret: string;
};

export type GuessThrottle = {
  /** Notes a failure; answers with how long its refusal is to be held back. */
  failed(failure: Failure): number;
};

export type ThrottleLimits = {
  /** Different secrets of one user from one address that cost nothing. */
  readonly free: number;
  /** Different secrets from one address that cost nothing, with whatever user. */
  readonly freeOfAddress: number;
  readonly stepMs: number;
  readonly maxMs: number;
  /** Without a failure for so long, all is forgotten. */
  readonly forgetMs: number;
  /** How many are remembered at once; the oldest goes first. */
  readonly maxRemembered: number;
};

const defaults: ThrottleLimits = {
  free: 20,
  freeOfAddress: 500,
  stepMs: 100,
  maxMs: 2000,
  forgetMs: 60_000,
  maxRemembered: 10_000,
};

/**
 * Slows those down who keep guessing. The same wrong secret again is no guess and counts once: one command of choco 2
 * shows it 15 times (spec nuget-v2 18.3), a machine with an old key in its settings for weeks. Only refusals are held back,
 * so a right key is never delayed and nobody is ever locked out, whatever others do from the same address. Each process counts
 * for itself.
 */
export function createGuessThrottle(now: () => Date, limits: Partial<ThrottleLimits> = {}): GuessThrottle {
  const { free, freeOfAddress, stepMs, maxMs, forgetMs, maxRemembered } = { ...defaults, ...limits };
  // What is remembered of a secret is of no use to whoever reads the memory of the process without this too.
  const hashKey = randomBytes(32);
  const remembered = new Map<string, { count: number; last: number }>();

  /** How many failures are remembered of `who`, with one more where it `isNew`. */
  function countOf(who: string, isNew: boolean): number {
    const at = now().getTime();
    const before = remembered.get(who);
    const isRecent = before !== undefined && at - before.last < forgetMs;
    const count = (isRecent ? before.count : 0) + (isNew ? 1 : 0);
    remembered.delete(who);
    remembered.set(who, { count, last: at });
    const [oldest] = remembered.size > maxRemembered ? remembered.keys() : [];
    if (oldest !== undefined) remembered.delete(oldest);
    return count;
  }

  function hash(...texts: readonly string[]): string {
    return createHmac('sha256', hashKey).update(JSON.stringify(texts)).digest('base64url');
  }

  return {
    failed({ from: address = '', user, secret }) {
      const from = addressGroup(address);
      const isNew = countOf(hash(from, user, secret), true) === 1;
      const steps = Math.max(
        countOf(hash(from, user || secret), isNew) - free,
        countOf(from, isNew) - freeOfAddress,
      );
      return Math.min(Math.max(0, steps) * stepMs, maxMs);
    },
  };
}
