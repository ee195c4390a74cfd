import type { Context } from './context.ts';
import { NotShown, Violation } from './verdict.ts';

/** must: a real client breaks otherwise; should: one degrades, or a bug report exists; may: seen in reference servers. */
export const levels = ['must', 'should', 'may'] as const;
export type Level = (typeof levels)[number];

/** One thing that a feed owes its clients. Lists of these are the suite. */
export type Check = {
  /** `paging/next-is-absolute`: the file it is in, and a name. */
  readonly id: string;
  /** Of spec nuget-v2: `9.7`. */
  readonly section: string;
  /** What holds, as a sentence. */
  readonly title: string;
  readonly level: Level;
  /** Which client breaks when it does not hold, and how. */
  readonly breaks: string;
  /** `push`: changes the feed, so it needs a key. */
  readonly needs?: 'push';
  /** Returns when it holds. @throws Violation, NotShown */
  readonly run: (context: Context) => Promise<void>;
};

export type Outcome =
  | { readonly verdict: 'passed' }
  | {
      readonly verdict: 'failed';
      readonly expected: string;
      readonly found: string;
      /** The exact request that shows it. */
      readonly request: string;
    }
  | { readonly verdict: 'skipped'; readonly why: string };

export async function runCheck(check: Check, context: Context): Promise<Outcome> {
  if (check.needs === 'push' && context.push === undefined) {
    return { verdict: 'skipped', why: 'needs --api-key' };
  }
  try {
    await check.run(context);
    return { verdict: 'passed' };
  } catch (error) {
    if (error instanceof NotShown) return { verdict: 'skipped', why: error.message };
    if (error instanceof Violation) {
      const { expected, found, request } = error;
      return { verdict: 'failed', expected, found, request };
    }
    throw error;
  }
}
