import { FeedError } from '../errors.ts';
import type { Metrics, PushKind } from '../metrics.ts';

/**
 * Does a push and counts how it ended: by the outcome that it answers with, or by the code of its error. Without an
 * outcome it was none.
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
