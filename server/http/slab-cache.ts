import { type Body, joinBody, sizeOf, writeBody } from './body.ts';

export type SlabCache<T> = {
  /** A stored value that is still good, which then counts as used. One that is not good is dropped. */
  find(key: string, isGood: (value: T) => boolean): Found<T> | undefined;
  /**
   * Stores both, unless they are too large or new entries have to wait; returns the bytes in the cache if stored. Bodies with the same
   * `content` are equal, and stored once.
   */
  set(key: string, value: T, body: Body, content?: string): Buffer | undefined;
};
export type Found<T> = { readonly value: T; readonly body: Buffer };

/** Where a body is. */
type Place = { readonly slab: Slab; readonly start: number; readonly end: number };
type Entry<T> = Place & { readonly value: T };
type Slab = {
  readonly bytes: Buffer;
  /** Of its entries. */
  readonly keys: Set<string>;
  readonly contents: string[];
  filled: number;
  usedAt: number;
};

/** The size of an entry besides its body: key, headers, ETag. */
const entryBytes = 1024;
/** A slab that was not used for this long may be replaced at once. */
const unusedMs = 5000;
/** When everything is in use, one of this many new values is stored. */
const admitOneIn = 8;
/** Memory beyond the limit that waits to be used again, in slabs. */
const maxSpare = 2;

/**
 * Shared memory, since V8 does not count that: for every few megabytes of other memory it collects its whole heap. But code in
 * JavaScript copies pieces out of it at half the speed. Memory that could grow is mapped by itself: slabs from malloc left gaps.
 */
const uncounted = (bytes: number): Buffer =>
  Buffer.from(new GrowableBuffer(bytes, { maxByteLength: bytes }), 0, bytes);

/** Node 20 has it, but not TypeScript's types for it. */
const GrowableBuffer = SharedArrayBuffer as unknown as new (
  bytes: number,
  options: { readonly maxByteLength: number },
) => SharedArrayBuffer;

/**
 * Stores answers of up to `maxBytes` together, in slabs of `slabBytes`: ten thousand separate buffers of all sizes that come and
 * go left gaps between them that took half as much memory again (decision 15). Space is made by dropping the least recently used
 * slab.
 *
 * Its memory is used again. Until the turn of the event loop ends nothing is overwritten, and after it only what `isRead` says that
 * nobody reads: a slow client may still need it. So it is no garbage.
 *
 * When all slabs are in use, new entries have to wait: a client that walks through the whole catalog (a mirror, a crawler) would
 * otherwise replace everything just before it is used again.
 */
export function createSlabCache<T>(
  maxBytes: number,
  isRead: (memory: ArrayBufferLike) => boolean,
  slabBytes = 1024 ** 2,
  makeSlab: (bytes: number) => Buffer = uncounted,
): SlabCache<T> {
  const kept = new Map<string, Entry<T>>();
  const places = new Map<string, Place>();
  const slabs = new Set<Slab>();
  let idle: Buffer[] = [];
  let open: Slab | undefined;
  let total = 0;
  let refusedBytes = 0;

  function remove(key: string): void {
    const slab = kept.get(key)?.slab;
    if (slab === undefined) return;
    kept.delete(key);
    slab.keys.delete(key);
    total -= entryBytes;
    if (slab.keys.size === 0 && slab !== open) drop(slab);
  }

  function drop(slab: Slab): void {
    const { bytes, keys, contents } = slab;
    slabs.delete(slab);
    total -= bytes.length + keys.size * entryBytes;
    for (const key of keys) kept.delete(key);
    for (const content of contents) places.delete(content);
    if (bytes.length === slabBytes) setImmediate(useAgain, bytes);
  }

  function useAgain(bytes: Buffer): void {
    if (total + idle.length * slabBytes < maxBytes + maxSpare * slabBytes) idle.push(bytes);
  }

  function takeMemory(): Buffer {
    const unread = idle.find(({ buffer }) => !isRead(buffer));
    idle = idle.filter((bytes) => bytes !== unread);
    return unread ?? makeSlab(slabBytes);
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
    const slab: Slab = { bytes, keys: new Set(), contents: [], filled: 0, usedAt: performance.now() };
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
    open = addSlab(takeMemory());
    return open;
  }

  /** Where an equal body is, if there is one and room for another entry. */
  function placeOf(content: string | undefined, isKnown: boolean): Place | undefined {
    if (content === undefined || !places.has(content) || !makeRoom(entryBytes, isKnown)) return undefined;
    return places.get(content);
  }

  function put(body: Body, content: string | undefined, isKnown: boolean): Place | undefined {
    const length = sizeOf(body);
    if (length + entryBytes > maxBytes / 8) return undefined;
    const slab = slabFor(body, length, isKnown);
    if (slab === undefined) {
      refusedBytes += length + entryBytes;
      return undefined;
    }
    const start = slab.filled;
    const place = { slab, start, end: start + length };
    if (slab === open) writeBody(body, slab.bytes, start);
    slab.filled = place.end;
    if (content === undefined) return place;
    slab.contents.push(content);
    places.set(content, place);
    return place;
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
    set(key, value, body, content) {
      const isKnown = kept.has(key);
      remove(key);
      const place = placeOf(content, isKnown) ?? put(body, content, isKnown);
      if (place === undefined) return undefined;
      const { slab, start, end } = place;
      slab.keys.add(key);
      total += entryBytes;
      kept.set(key, { value, slab, start, end });
      return slab.bytes.subarray(start, end);
    },
  };
}
