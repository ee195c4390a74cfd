import { type Body, joinBody, sizeOf, writeBody } from './body.ts';

export type SlabCache<T> = {
  /** A stored value that is still good, which then counts as used. One that is not good is dropped. */
  find(key: string, isGood: (value: T) => boolean): Found<T> | undefined;
  /** Stores both, unless they are too large or new entries have to wait; returns the bytes in the cache if stored. */
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
  /** The number of its entries that can still be found. */
  live: number;
  usedAt: number;
};

/** The size of an entry besides its body: key, headers, ETag. */
const entryBytes = 1024;
/** A slab that was not used for this long may be replaced at once. */
const unusedMs = 5000;
/** When everything is in use, one of this many new values is stored. */
const admitOneIn = 8;
/** Dropped slabs whose memory waits to be used again. */
const maxIdle = 2;

/**
 * Stores answers of up to `maxBytes` together, in slabs of `slabBytes`: ten thousand separate buffers of all sizes that come and
 * go left gaps between them that took half as much memory again (decision 15). Space is made by dropping the least recently used
 * slab.
 *
 * Its memory is used again, since V8 collects its whole heap for every few megabytes of new memory. Until the turn of the event loop
 * ends nothing is overwritten, and after it only what `isRead` says that nobody reads: a slow client may still need it.
 *
 * When all slabs are in use, new entries have to wait: a client that walks through the whole catalog (a mirror, a crawler) would
 * otherwise replace everything just before it is used again.
 */
export function createSlabCache<T>(
  maxBytes: number,
  isRead: (memory: ArrayBufferLike) => boolean,
  slabBytes = 1024 ** 2,
): SlabCache<T> {
  const kept = new Map<string, Entry<T>>();
  const slabs = new Set<Slab>();
  const idle: Buffer[] = [];
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
    if (slab.bytes.length === slabBytes) setImmediate(useAgain, slab.bytes);
  }

  function useAgain(bytes: Buffer): void {
    if (idle.length < maxIdle && !isRead(bytes.buffer)) idle.push(bytes);
  }

  /** False when everything is in use and new entries have to wait. */
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

  /** A large body gets its own slab. */
  function slabFor(body: Body, length: number, isKnown: boolean): Slab | undefined {
    if (length > slabBytes / 4) {
      return makeRoom(length + entryBytes, isKnown) ? addSlab(joinBody(body)) : undefined;
    }
    if (open !== undefined && open.filled + length <= slabBytes) {
      return makeRoom(entryBytes, isKnown) ? open : undefined;
    }
    if (!makeRoom(slabBytes + entryBytes, isKnown)) return undefined;
    open = addSlab(idle.pop() ?? Buffer.allocUnsafeSlow(slabBytes));
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
