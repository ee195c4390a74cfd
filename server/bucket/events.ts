import type { Actor } from '../audit/audit.ts';

/** A ref that has moved; `from` is undefined for a new one. */
export type RefMove = { readonly ref: string; readonly from: string | undefined; readonly to: string };

/**
 * The port to the bucket's events, which the database keeps in addition to git's own files. Contract suite:
 * test/contract/bucket-events.ts.
 */
export interface BucketEvents {
  /** Durable, as entries of the audit log, when it resolves. */
  record(moves: readonly RefMove[], by: Actor, reason?: string): Promise<void>;
  /** The object id after the last recorded move of a ref. */
  lastMove(ref: string): Promise<string | undefined>;
  /**
   * Waits until nobody else checks a push or moves a ref of this bucket, on any server. Resolves with a function that releases
   * the lock (calling it twice does nothing). Two pushes that are valid alone may be invalid together.
   * @throws FeedError GIT_BUSY when too many wait already, or the reason of `signal` when it is aborted first
   */
  lock(signal: AbortSignal): Promise<() => void>;
}
