import type { Readable } from 'node:stream';
import type { Digest } from '../../formats/digest.ts';

/** Bytes that are being written: nothing is visible before `commit`, nothing is left after `discard`. */
export interface Upload {
  readonly digest: Digest;
  /** The complete bytes, for checks before they are published: the path of a file, or a small upload itself. */
  readonly content: string | Buffer;
  /**
   * Makes the bytes visible under their SHA-256; file and folder are on disk (fsync) when it returns. Equal bytes share one blob.
   * @throws FeedError STORAGE_FULL
   */
  commit(): Promise<void>;
  /**
   * Like `commit`, but a small blob is only visible when it returns, not yet durable. Its bytes are returned, to be kept in the
   * transaction of the row that names it until the file is flushed (decision 17). Undefined if it is durable already.
   * @throws FeedError STORAGE_FULL
   */
  commitPending(): Promise<Buffer | undefined>;
  /**
   * Where servers share the store, what protects the bytes after `commit` (blobs/blob-claims.ts): the transaction of the row that names
   * them has to use it up.
   */
  readonly claim?: string | undefined;
  /**
   * Removes the upload. After `commit` the bytes stay; until `discard` they are protected from `remove`. Call it in `finally`,
   * after the row that names them was written.
   */
  discard(): Promise<void>;
}

export type StoredBlob = {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly sizeBytes: number;
  /** When the bytes arrived. */
  readonly written: Date;
};

/** Inclusive at both ends, as in HTTP. `of`: the size of the whole, where it is known; it lets a cache keep what is read whole. */
export type Range = { readonly start: number; readonly end: number; readonly of?: number };
/** Takes the next bytes, which may be overwritten after the promise has settled. */
export type TakePiece = (bytes: Buffer) => Promise<void>;

/** Reading blobs, possibly beside the process that writes them: they appear whole and never change. */
export interface BlobReader {
  has(sha256: string): Promise<boolean>;
  /** @throws when the blob does not exist */
  open(sha256: string, range?: Range): Promise<Readable>;
  /**
   * Passes the range to `take` piece by piece, which is the fastest way for large ranges.
   * @throws when the blob does not exist or ends before the range does; what `take` throws
   */
  readTo(sha256: string, range: Range, take: TakePiece): Promise<void>;
  /**
   * All bytes of a small blob of known size; from a file synchronously. The operating system caches small files after the first
   * read: opening, reading and closing then take much less time than three round trips to another thread.
   * @throws (or rejects) when the blob does not exist or has another size
   */
  readSmall(sha256: string, sizeBytes: number): Buffer | Promise<Buffer>;
  /** Every blob in the order of its name, one folder at a time. */
  list(): AsyncIterable<StoredBlob>;
}

/** The port to stored bytes, addressed by their SHA-256 in lower-case hex. Contract suite: test/contract/blob-store.ts. */
export interface BlobStore extends BlobReader {
  /**
   * Reads a stream to its end.
   * @throws FeedError PACKAGE_TOO_LARGE past `maxBytes`, STORAGE_FULL without room; nothing is left of it then
   */
  receive(source: Readable, maxBytes: number): Promise<Upload>;
  /** Makes pending blobs durable. @throws when one does not exist, or the disk fails */
  flush(sha256s: readonly string[]): Promise<void>;
  /**
   * Writes these bytes under their name, in place of whatever a power cut left there; the result is pending like other small
   * blobs. Does nothing if the same bytes exist.
   * @throws FeedError STORAGE_FULL
   */
  repair(sha256: string, bytes: Buffer): Promise<void>;
  /**
   * Removes a blob for good; does nothing if it does not exist. Only for blobs that no row names. Returns false and keeps the
   * blob when a push in this process has stored the same bytes and is about to name them; that is decided before this returns.
   * Also returns false when a push stored them again meanwhile; then check once more whether a row names them. An object store gets
   * no request after `until` (of performance.now()); false: it may have got several, of which one may still be under way.
   */
  remove(sha256: string, until?: number): Promise<boolean>;
  /** @throws when bytes cannot be written and read; a full local disk alone, where bytes can be read still, is no error */
  ping(): Promise<void>;
}
