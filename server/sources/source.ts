import type { Readable } from 'node:stream';
import type { AnnouncedHash } from '../../formats/v2-page.ts';

/** One package version that a source has. What it says of itself is a claim until the bytes are there. */
export type RemotePackage = {
  readonly id: string;
  /** As the source spells it. */
  readonly version: string;
  readonly isListed: boolean;
  /** Undefined where it is not known: an unlisted version of a v2 feed hides it. */
  readonly published?: Date | undefined;
  readonly sizeBytes?: number | undefined;
  /** Where the bytes are, for people: a file or an address. */
  readonly from: string;
  /** Undefined when the source does not tell. A folder reads its file for this. */
  hash(): Promise<AnnouncedHash | undefined>;
  /** @throws FeedError SOURCE_UNREACHABLE, SOURCE_REFUSED; the stream ends with SOURCE_UNREACHABLE when it breaks off */
  open(): Promise<Readable>;
};

/** Something at the source that cannot be offered. */
export type SkippedPackage = {
  /** File, address or id. */
  readonly from: string;
  readonly reason: string;
  /** `skipped` is as it should be (symbols); `failed` might do when tried again. */
  readonly kind: 'skipped' | 'refused' | 'failed';
};

/** A folder or another feed. */
export type Source = {
  /**
   * All versions of the ids that fit one of the globs, or of all ids when there are none; in no order.
   * @throws FeedError SOURCE_UNREACHABLE, SOURCE_REFUSED, SOURCE_STRANGE when nothing can be said about the whole
   */
  list(ids: readonly string[]): AsyncIterable<RemotePackage | SkippedPackage>;
};

export function isSkipped(item: RemotePackage | SkippedPackage): item is SkippedPackage {
  return 'reason' in item;
}

/** Whether the glob stands for one id and can be asked for by name. */
export function isExact(glob: string): boolean {
  return !/[*?]/.test(glob);
}
