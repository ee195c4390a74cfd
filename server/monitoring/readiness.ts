import type { Logger } from '../log.ts';
import { shareFor } from './share-for.ts';

/** What has to work for the server to be of use; each check throws when it does not. */
export type Checks = Readonly<Record<'database' | 'blobs' | 'git', () => Promise<void>>>;

/** How long an answer is reused: anybody may ask, and each check starts two git processes. */
export const keptMs = 1000;

/** Reports which checks fail. Requests at the same time, or within a second, share one answer. */
export function createReadiness(
  checks: Checks,
  log: Pick<Logger, 'error' | 'info'>,
  clock?: () => number,
): () => Promise<readonly string[]> {
  /** Checks that failed the last time: a load balancer asks twice a second. */
  const failing = new Set<string>();
  const look = async (): Promise<readonly string[]> => {
    const found = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => {
        try {
          await check();
          if (failing.delete(name)) log.info({ check: name }, 'readiness check holds again');
          return [];
        } catch (error) {
          if (!failing.has(name)) log.error({ err: error, check: name }, 'readiness check failed');
          failing.add(name);
          return [name];
        }
      }),
    );
    return found.flat();
  };
  return shareFor(keptMs, look, clock);
}
