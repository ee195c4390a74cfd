import { FeedError } from '../errors.ts';
import type { Metrics, PushKind } from '../metrics.ts';

/**
 * Runs a push and counts its outcome and its time: what it resolves with, or its error code. A push that resolves with undefined is not
 * counted.
 */
export async function countPush(
  metrics: Pick<Metrics, 'countPush'>,
  kind: PushKind,
  push: () => Promise<string | undefined>,
): Promise<void> {
  const started = performance.now();
  const count = (outcome: string) => metrics.countPush(kind, outcome, performance.now() - started);
  try {
    const outcome = await push();
    if (outcome !== undefined) count(outcome);
  } catch (error) {
    count(error instanceof FeedError ? error.code : 'INTERNAL');
    throw error;
  }
}
