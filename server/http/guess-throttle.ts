import { createHmac, randomBytes } from 'node:crypto';
import { addressGroup } from '../../formats/ip-address.ts';

/** A request with an unknown secret. */
export type Failure = {
  /** The address it came from. */
  readonly from: string | undefined;
  /** The user of Basic authentication; empty for a key in a header of its own. */
  readonly user: string;
  /** The password or key that was sent. */
  readonly secret: string;
};

export type GuessThrottle = {
  /** Notes a failure; returns how long to delay the refusal. */
  failed(failure: Failure): number;
};

export type ThrottleLimits = {
  /** The number of different secrets of one user from one address without a delay. */
  readonly free: number;
  /** The number of different secrets from one address without a delay, whatever the user. */
  readonly freeOfAddress: number;
  readonly stepMs: number;
  readonly maxMs: number;
  /** After this long without a failure, everything is forgotten. */
  readonly forgetMs: number;
  /** The maximum number of remembered failures; the oldest goes first. */
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
 * Slows down clients that keep guessing. Repeating the same wrong secret is not guessing and counts once: one command of choco 2
 * sends it 15 times (spec nuget-v2 18.3), a machine with an old key in its settings for weeks. Only refusals are delayed, so a
 * valid key is never slowed down and nobody is locked out, whatever others do from the same address. Each process counts
 * separately.
 */
export function createGuessThrottle(now: () => Date, limits: Partial<ThrottleLimits> = {}): GuessThrottle {
  const { free, freeOfAddress, stepMs, maxMs, forgetMs, maxRemembered } = { ...defaults, ...limits };
  // Secrets are remembered as hashes with this key, so that they are useless to anyone who reads part of the memory.
  const hashKey = randomBytes(32);
  const remembered = new Map<string, { count: number; last: number }>();

  /** The number of failures of `who`, including this one if it `isNew`. */
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
