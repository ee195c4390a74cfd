/** The port to what a collector of forgotten blobs needs of the database, where servers share an object store. */
export interface OrphanQueue {
  /** Answers for many blobs whether a row names them; now and then wrongly yes, and no for rows that come later. */
  names(): Promise<(sha256: string) => boolean>;
  /** Queues blobs for removal (blobs/purge-queue.ts), which asks once more who names them. */
  add(sha256s: readonly string[]): Promise<void>;
}
