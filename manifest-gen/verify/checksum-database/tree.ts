import { createHash } from 'node:crypto';

/**
 * The Merkle tree of a transparency log (RFC 6962, section 2.1), as the Go checksum database keeps it. A range of entries is
 * split at the largest power of two below its length, so every left half is a whole subtree.
 */
export type Place = {
  readonly size: number;
  /** Which of them it is, from 0. */
  readonly id: number;
};

/** The hash of the whole subtree over the entries from `first` on, `count` of them: a power of two that divides `first`. */
export type Subtree = (first: number, count: number) => Buffer;

export function entryHash(entry: Buffer): Buffer {
  return createHash('sha256').update(Buffer.of(0)).update(entry).digest();
}

export function nodeHash(left: Buffer, right: Buffer): Buffer {
  return createHash('sha256').update(Buffer.of(1)).update(left).update(right).digest();
}

/** The root hash of the tree with this entry, from the hashes beside its path; undefined when they are too few or many. */
export function rootOf({ size, id }: Place, entry: Buffer, path: readonly Buffer[]): Buffer | undefined {
  const sides = sidesOf({ size, id });
  if (sides.length !== path.length) return undefined;
  return sides.reduce((hash, { side }, at) => {
    const beside = path[at] as Buffer;
    return side === 'left' ? nodeHash(beside, hash) : nodeHash(hash, beside);
  }, entryHash(entry));
}

/** The hashes beside an entry's way up, from the bottom. */
export function auditPath(place: Place, subtree: Subtree): readonly Buffer[] {
  return sidesOf(place).map(({ first, count }) => rangeHash(first, count, subtree));
}

/** The hash of any range that the tree has, of its whole subtrees. */
export function rangeHash(first: number, count: number, subtree: Subtree): Buffer {
  const left = splitOf(count);
  if (left === count) return subtree(first, count);
  return nodeHash(subtree(first, left), rangeHash(first + left, count - left, subtree));
}

type Side = { readonly side: 'left' | 'right'; readonly first: number; readonly count: number };

/** The ranges beside an entry's way up, from the bottom. @throws RangeError when the tree has no such entry */
function sidesOf({ size, id }: Place): readonly Side[] {
  if (!(Number.isSafeInteger(size) && Number.isSafeInteger(id) && id >= 0 && id < size))
    throw new RangeError(`no entry ${id} in a tree of ${size}`);
  const sides: Side[] = [];
  let [first, count] = [0, size];
  while (count > 1) {
    const whole = splitOf(count);
    const left = whole === count ? count / 2 : whole;
    if (id < first + left) {
      sides.unshift({ side: 'right', first: first + left, count: count - left });
      count = left;
    } else {
      sides.unshift({ side: 'left', first, count: left });
      [first, count] = [first + left, count - left];
    }
  }
  return sides;
}

/** The largest power of two that is not above it. */
function splitOf(count: number): number {
  return 2 ** Math.floor(Math.log2(count));
}
