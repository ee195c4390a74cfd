/**
 * The port to what a purge still has to take away: blobs that no row names any more, and what was deleted from the database
 * but is still in its files. It survives a crash, so that the next start goes on.
 */
export interface PurgeQueue {
  list(): Promise<string[]>;
  /**
   * Calls `remove` unless a row names the blob, since somebody published the same bytes under another version; no row comes to name it
   * in between. False when `remove` says so: the blob stays on the list.
   */
  removeUnnamed(sha256: string, remove: () => Promise<boolean>): Promise<boolean>;
  isScrubbed(): Promise<boolean>;
  /** Rids the database's files of what was deleted. False when somebody reads them; to be tried again. */
  scrub(): Promise<boolean>;
}
