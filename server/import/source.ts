import type { Readable } from 'node:stream';
import type { AnnouncedHash } from '../../formats/v2-page.ts';

/** One package version of a source. Everything it says is only a claim until the bytes have been checked. */
export type RemotePackage = {
  readonly id: string;
  /** As the source spells it. */
  readonly version: string;
  readonly isListed: boolean;
  /** Undefined if unknown: a v2 feed hides it for unlisted versions. */
  readonly published?: Date | undefined;
  readonly sizeBytes?: number | undefined;
  /** Where the bytes are, for people: a file or an address. */
  readonly from: string;
  /** Undefined when the source does not announce one. A folder reads the file for this. */
  hash(): Promise<AnnouncedHash | undefined>;
  /** @throws FeedError SOURCE_UNREACHABLE, SOURCE_REFUSED; the stream ends with SOURCE_UNREACHABLE when it breaks off */
  open(): Promise<Readable>;
};

/** Something at the source that cannot be imported. */
export type SkippedPackage = {
  /** File, address or id. */
  readonly from: string;
  readonly reason: string;
  /** `skipped` is intentional (symbols); `failed` may work when tried again. */
  readonly kind: 'skipped' | 'refused' | 'failed';
};

/** A folder or another feed. */
export type Source = {
  /**
   * All versions of the ids that match one of the globs, or of all ids without globs; in no order.
   * @throws FeedError SOURCE_UNREACHABLE, SOURCE_REFUSED, SOURCE_STRANGE when the whole list fails
   */
  list(ids: readonly string[]): AsyncIterable<RemotePackage | SkippedPackage>;
};

export function isSkipped(item: RemotePackage | SkippedPackage): item is SkippedPackage {
  return 'reason' in item;
}

/** Whether the glob is a single id that can be requested by name. */
export function isExact(glob: string): boolean {
  return !/[*?]/.test(glob);
}
