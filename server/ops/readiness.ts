import type { Logger } from '../log.ts';

/** What must answer for the server to be of use; each throws when it does not. */
export type Checks = Readonly<Record<'database' | 'blobs' | 'git', () => Promise<void>>>;

/** How long an answer is good: anybody may ask, and each look starts two gits. */
const keptMs = 1000;

/** Tells which checks fail. Those who ask at the same time, or within a second after it, are told the same. */
export function createReadiness(
  checks: Checks,
  log: Pick<Logger, 'error'>,
  clock: () => number = () => performance.now(),
): () => Promise<readonly string[]> {
  let kept: Promise<readonly string[]> | undefined;
  let goodUntil = Number.POSITIVE_INFINITY;

  async function look(): Promise<readonly string[]> {
    const found = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => {
        try {
          await check();
          return [];
        } catch (error) {
          log.error({ err: error, check: name }, 'readiness check failed');
          return [name];
        }
      }),
    );
    goodUntil = clock() + keptMs;
    return found.flat();
  }

  return () => {
    if (kept === undefined || clock() > goodUntil) {
      goodUntil = Number.POSITIVE_INFINITY;
      kept = look();
    }
    return kept;
  };
}
