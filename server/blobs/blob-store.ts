import type { Readable } from 'node:stream';
import type { Digest } from '../../formats/digest.ts';
import type { ByteSource } from '../../formats/zip-file.ts';

/** Bytes that are being written: nothing is visible before `commit`, nothing is left after `discard`. */
export interface Upload {
  readonly digest: Digest;
  /** The same bytes, complete, for those who must look inside before they are published. Whoever opens it closes it. */
  openSource(): Promise<ByteSource>;
  /**
   * Makes the bytes visible under their SHA-256: file and folder are on disk (fsync) when it returns. The same bytes
   * twice are one blob.
   * @throws FeedError STORAGE_FULL
   */
  commit(): Promise<void>;
  /**
   * As `commit`, but a small blob is only visible when it returns, not durable: its bytes come back, to be kept in the
   * transaction of the row that names it until the file is `settle`d (decision 17). Undefined when it is durable.
   * @throws FeedError STORAGE_FULL
   */
  commitPending(): Promise<Buffer | undefined>;
  /**
   * Removes the upload; the bytes stay after `commit` and `place`, which until then hold them against `remove`. Call it in
   * `finally`, once the row is written that names them.
   */
  discard(): Promise<void>;
}

export type StoredBlob = {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly sizeBytes: number;
  /** When its bytes came. */
  readonly written: Date;
};

/** Inclusive at both ends, as in HTTP. */
export type Range = { readonly start: number; readonly end: number };
/** Takes the next bytes, which may be overwritten once its promise is settled. */
export type TakePiece = (bytes: Buffer) => Promise<void>;

/** What may be asked of blobs beside the one process that writes them: they appear whole and never change. */
export interface BlobReader {
  has(sha256: string): Promise<boolean>;
  /** @throws when the blob is not there */
  open(sha256: string, range?: Range): Promise<Readable>;
  /**
   * Hands the range to `take` piece by piece: the quickest way for much.
   * @throws when the blob is not there or ends before the range does; what `take` throws
   */
  readTo(sha256: string, range: Range, take: TakePiece): Promise<void>;
  /**
   * All bytes of a small blob, whose size is known, at once. Small files are in the memory of the operating system as
   * soon as they were asked for once: opening, reading and closing take a fraction of what a thread and back takes
   * three times, so nothing is gained by not waiting. @throws when the blob is not there or is of another size
   */
  readSmall(sha256: string, sizeBytes: number): Buffer;
  /** Every blob in the order of its name, one folder at a time. */
  list(): AsyncIterable<StoredBlob>;
}

/**
 * The port to where bytes live, addressed by their SHA-256 in lower-case hex.
 * Contract suite: test/contract/blob-store.ts.
 */
export interface BlobStore extends BlobReader {
  /**
   * Takes a stream to its end.
   * @throws FeedError PACKAGE_TOO_LARGE past `maxBytes`, STORAGE_FULL without room; nothing is left of it then.
   */
  receive(source: Readable, maxBytes: number): Promise<Upload>;
  /** Makes blobs durable that were only placed. @throws when one is not there, or the disk fails */
  flush(sha256s: readonly string[]): Promise<void>;
  /**
   * Puts these bytes under their name and nothing else, whatever a power cut left there; to be settled like others. Does
   * nothing when they are there. @throws FeedError STORAGE_FULL
   */
  repair(sha256: string, bytes: Buffer): Promise<void>;
  /**
   * For good; does nothing when it is not there. Only for blobs that nothing names. False, with the blob as it was, when a
   * push in this process has stored the same bytes and is about to name them; that is decided before this returns. False too
   * when a push put them back meanwhile: whether something names them has to be asked again.
   */
  remove(sha256: string): Promise<boolean>;
  /** Throws when bytes cannot be written and read. */
  ping(): Promise<void>;
}
