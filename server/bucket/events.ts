import type { Actor } from '../audit/audit.ts';

/** A ref that has moved; `from` is undefined for a new one. */
export type RefMove = { readonly ref: string; readonly from: string | undefined; readonly to: string };

/**
 * The port to what happens to the bucket, as the database keeps it beside git's own files.
 * Contract suite: test/contract/bucket-events.ts.
 */
export interface BucketEvents {
  /** Durable, as entries of the audit log, when it resolves. */
  record(moves: readonly RefMove[], by: Actor, reason?: string): Promise<void>;
  /** Where the last move of a ref that was recorded went. */
  lastMove(ref: string): Promise<string | undefined>;
  /**
   * Waits until nobody else checks a push or moves a ref of this bucket, on whichever server; resolves with the function that lets the next
   * one go on (calling it twice does nothing). Two pushes that are each right may be wrong together.
   * @throws FeedError GIT_BUSY when too many wait already, or the reason of `signal` when it is aborted first
   */
  lock(signal: AbortSignal): Promise<() => void>;
}
