/** A blob whose file may not survive a power cut yet. Later ones have larger numbers. */
export type PendingBlob = { readonly number: number; readonly sha256: string; readonly sizeBytes: number };

/**
 * The port to bytes that are kept in the database, with the rows that name them, until their files are durable (decision 17).
 * `Catalog.add` stores them, in its transaction.
 */
export interface PendingBlobs {
  /** The oldest ones, at most `limit`. */
  list(limit: number): Promise<readonly PendingBlob[]>;
  /** Rejects if it was forgotten. */
  bytesOf(blob: PendingBlob): Promise<Buffer>;
  /** Call it when this one and all before it are durable as files. */
  forget(upTo: PendingBlob): Promise<void>;
}
