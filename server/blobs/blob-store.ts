import type { Readable } from 'node:stream';
import type { Digest } from '../../formats/digest.ts';

/** Bytes that are being written: nothing is visible before `commit`, nothing is left after `discard`. */
export interface BlobDraft {
  /** A file of the same bytes, complete, for those who must look inside before it is published. */
  readonly path: string;
  readonly digest: Digest;
  /** Makes the bytes visible under their SHA-256: file and folder are on disk (fsync) when it returns. The same bytes twice are one blob. */
  commit(): Promise<void>;
  /** Removes the draft; does nothing after `commit`. Call it in `finally`. */
  discard(): Promise<void>;
}

/**
 * The port to where bytes live, addressed by their SHA-256 in lower-case hex.
 * Contract suite: test/contract/blob-store.ts.
 */
export interface BlobStore {
  /**
   * Takes a stream to its end.
   * @throws FeedError PACKAGE_TOO_LARGE past `maxBytes`, STORAGE_FULL without room; nothing is left of it then.
   */
  receive(source: Readable, maxBytes: number): Promise<BlobDraft>;
  has(sha256: string): Promise<boolean>;
  /** A range is inclusive at both ends, as in HTTP. @throws when the blob is not there */
  open(sha256: string, range?: { readonly start: number; readonly end: number }): Promise<Readable>;
  /** Throws when bytes cannot be written and read. */
  ping(): Promise<void>;
}
