import { FeedError } from '../errors.ts';
import type { Metrics, PushKind } from '../metrics.ts';

/**
 * Runs a push and counts its outcome: what it resolves with, or its error code. A push that resolves with undefined is not
 * counted.
 */
export async function countPush(
  metrics: Pick<Metrics, 'countPush'>,
  kind: PushKind,
  push: () => Promise<string | undefined>,
): Promise<void> {
  try {
    const outcome = await push();
    if (outcome !== undefined) metrics.countPush(kind, outcome);
  } catch (error) {
    metrics.countPush(kind, error instanceof FeedError ? error.code : 'INTERNAL');
    throw error;
  }
}
