import type { Actor } from '../audit/audit.ts';
import type { Channel } from './push.ts';

/** A release that is published by the server itself: its manifest is still to be committed. */
export type NewPendingCommit = {
  readonly tool: string;
  readonly version: string;
  /** The manifest, byte for byte. */
  readonly text: string;
  readonly message: string;
  /** The tag goes to the commit on the first. A branch that offers this version, or a higher one, is left alone. */
  readonly branches: readonly [Channel, ...Channel[]];
  readonly at: Date;
  /** For the audit log. */
  readonly by: Actor;
  readonly reason?: string | undefined;
};
export type PendingCommit = NewPendingCommit & { readonly number: number };

/**
 * The port to what branches are still to get. Rows are added in the transaction that decides about them (`addPendingCommit`),
 * so that a crash loses none.
 */
export interface PendingCommits {
  /** The one that was added first, of those with a larger number than this. */
  first(after?: number): Promise<PendingCommit | undefined>;
  /** Durable when it resolves. */
  remove(number: number): Promise<void>;
}
