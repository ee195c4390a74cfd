/**
 * The port to what a purge still has to remove: blobs that no row names any more, and deleted data that is still in the
 * database's files. It survives a crash, so that the next start continues.
 */
export interface PurgeQueue {
  list(): Promise<string[]>;
  /**
   * Calls `remove` unless a row names the blob, because somebody published the same bytes as another version; no new row can name
   * it in between. When `remove` returns false, so does this, and the blob stays in the queue. `until`: see `BlobStore.remove`.
   */
  removeUnnamed(sha256: string, remove: (until?: number) => Promise<boolean>): Promise<boolean>;
  isScrubbed(): Promise<boolean>;
  /** Removes deleted data from the database's files. False while somebody reads them; try again. */
  scrub(): Promise<boolean>;
}
