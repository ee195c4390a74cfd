import { type Body, joinBody, sizeOf, writeBody } from './body.ts';

export type SlabCache<T> = {
  /** What is kept and good; only that counts as used. What is not good any more is let go of. */
  find(key: string, isGood: (value: T) => boolean): Found<T> | undefined;
  /** Keeps both, unless they are too large or newcomers have to wait; then the bytes as they lie in the cache. */
  set(key: string, value: T, body: Body): Buffer | undefined;
};
export type Found<T> = { readonly value: T; readonly body: Buffer };

type Entry<T> = {
  readonly value: T;
  readonly slab: Slab;
  readonly start: number;
  readonly end: number;
};
type Slab = {
  readonly bytes: Buffer;
  readonly keys: string[];
  filled: number;
  /** How many of its entries are still asked for by their key. */
  live: number;
  usedAt: number;
};

/** The rest of what an entry holds: key, headers, tag. */
const entryBytes = 1024;
/** What was not asked for so long makes room at once. */
const unusedMs = 5000;
/** Where all is in use, one new value in so many is let in. */
const admitOneIn = 8;

/**
 * Answers that weigh no more than `maxBytes` together, in slabs of `slabBytes`: ten thousand buffers of their own that
 * come and go in all sizes left holes between them, half as large as they were (decision 15). Room is made a slab at a
 * time, of the one unused longest. A slab is never written over, since a slow client may still be reading from it.
 *
 * When all of them are in use, newcomers have to wait: whoever walks through the whole catalog (a mirror, a crawler)
 * would otherwise throw out everything just before it is asked for again.
 */
export function createSlabCache<T>(maxBytes: number, slabBytes = 1024 ** 2): SlabCache<T> {
  const kept = new Map<string, Entry<T>>();
  const slabs = new Set<Slab>();
  let open: Slab | undefined;
  let total = 0;
  let refusedBytes = 0;

  function remove(key: string): void {
    const slab = kept.get(key)?.slab;
    if (slab === undefined) return;
    kept.delete(key);
    slab.live -= 1;
    if (slab.live === 0 && slab !== open) drop(slab);
  }

  function drop(slab: Slab): void {
    slabs.delete(slab);
    total -= slab.bytes.length + slab.keys.length * entryBytes;
    for (const key of slab.keys) if (kept.get(key)?.slab === slab) kept.delete(key);
  }

  /** False when all is in use and it is not the turn of newcomers yet. */
  function makeRoom(bytes: number, isKnown: boolean): boolean {
    if (total + bytes <= maxBytes) return true;
    const isLetIn = isKnown || refusedBytes >= slabBytes * (admitOneIn - 1);
    while (total + bytes > maxBytes) {
      const oldest = oldestSlab();
      if (oldest === undefined) return false;
      if (!isLetIn && performance.now() - oldest.usedAt <= unusedMs) return false;
      drop(oldest);
    }
    if (!isKnown) refusedBytes = 0;
    return true;
  }

  function oldestSlab(): Slab | undefined {
    let oldest: Slab | undefined;
    for (const slab of slabs) {
      if (slab !== open && slab.usedAt < (oldest?.usedAt ?? Number.POSITIVE_INFINITY)) oldest = slab;
    }
    return oldest;
  }

  function addSlab(bytes: Buffer): Slab {
    const slab = { bytes, keys: [], filled: 0, live: 0, usedAt: performance.now() };
    slabs.add(slab);
    total += bytes.length;
    return slab;
  }

  /** A large body has a slab of its own. */
  function slabFor(body: Body, length: number, isKnown: boolean): Slab | undefined {
    if (length > slabBytes / 4) {
      return makeRoom(length + entryBytes, isKnown) ? addSlab(joinBody(body)) : undefined;
    }
    if (open !== undefined && open.filled + length <= slabBytes) {
      return makeRoom(entryBytes, isKnown) ? open : undefined;
    }
    if (!makeRoom(slabBytes + entryBytes, isKnown)) return undefined;
    open = addSlab(Buffer.allocUnsafeSlow(slabBytes));
    return open;
  }

  return {
    find(key, isGood) {
      const entry = kept.get(key);
      if (entry === undefined) return undefined;
      if (!isGood(entry.value)) {
        remove(key);
        return undefined;
      }
      const { value, slab, start, end } = entry;
      slab.usedAt = performance.now();
      return { value, body: slab.bytes.subarray(start, end) };
    },
    set(key, value, body) {
      const isKnown = kept.has(key);
      remove(key);
      const length = sizeOf(body);
      if (length + entryBytes > maxBytes / 8) return undefined;
      const slab = slabFor(body, length, isKnown);
      if (slab === undefined) {
        refusedBytes += length + entryBytes;
        return undefined;
      }
      const start = slab.filled;
      const end = start + length;
      if (slab === open) writeBody(body, slab.bytes, start);
      slab.filled = end;
      slab.live += 1;
      slab.keys.push(key);
      total += entryBytes;
      kept.set(key, { value, slab, start, end });
      return slab.bytes.subarray(start, end);
    },
  };
}
