/**
 * The port to what a purge still has to take away: blobs that no row names any more, and what was deleted from the database
 * but is still in its file. It survives a crash, so that the next start goes on. Synchronous: between the question whether a
 * blob has a name and its removal nobody else may get a turn.
 */
export interface PurgeQueue {
  list(): string[];
  /** Whether a row names it, since somebody published the same bytes under another version. */
  isNamed(sha256: string): boolean;
  forget(sha256: string): void;
  isScrubbed(): boolean;
  /** Writes the database anew without what was deleted. False when somebody reads the old one; to be tried again. */
  scrub(): boolean;
}
