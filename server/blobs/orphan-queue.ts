/** The port to what a collector of forgotten blobs needs of the database, where servers share an object store. */
export interface OrphanQueue {
  /** Answers for many blobs whether a row names them; now and then wrongly yes, and no for rows that come later. */
  names(): Promise<(sha256: string) => boolean>;
  /** Blobs that were found without a name, by any server, and when that was first. */
  known(): Promise<ReadonlyMap<string, Date>>;
  /** Notes what a server has found, and queues blobs for removal (blobs/purge-queue.ts), which asks once more who names them. */
  note(orphans: FoundOrphans): Promise<void>;
}

export type FoundOrphans = {
  /** Seen without a name for the first time. */
  readonly fresh: readonly string[];
  /** Known before; they have a name again, or were removed. */
  readonly gone: readonly string[];
  /** To be removed. */
  readonly due: readonly string[];
};
