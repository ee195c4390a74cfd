export type SlowDown = {
  /** Notes a failure of `who`; answers with how long its refusal is to be held back. */
  failed(who: string): number;
};

export type SlowDownLimits = {
  /** Failures that cost nothing: choco tries a wrong password about ten times in one run (spec nuget-v2 18.2). */
  readonly free: number;
  readonly stepMs: number;
  readonly maxMs: number;
  /** Without a failure for so long, all is forgotten. */
  readonly forgetMs: number;
  /** How many are remembered at once; the oldest goes first. */
  readonly maxRemembered: number;
};

const defaults: SlowDownLimits = {
  free: 20,
  stepMs: 100,
  maxMs: 2000,
  forgetMs: 60_000,
  maxRemembered: 10_000,
};

/**
 * Slows those down who keep showing wrong keys. Only refusals are held back, so a right key is never delayed,
 * whatever others do from the same address.
 */
export function createSlowDown(now: () => Date, limits: Partial<SlowDownLimits> = {}): SlowDown {
  const { free, stepMs, maxMs, forgetMs, maxRemembered } = { ...defaults, ...limits };
  const failures = new Map<string, { count: number; last: number }>();
  return {
    failed(who) {
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
      return Math.min(Math.max(0, count - free) * stepMs, maxMs);
    },
  };
}
