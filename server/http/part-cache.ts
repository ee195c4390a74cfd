/** What was rendered once, by what it was rendered from. */
export type PartCache = {
  /** Its pieces, cut where something stands that is each answer's own. */
  find(key: string): readonly Buffer[] | undefined;
  /** The pieces as bytes. */
  keep(key: string, pieces: readonly string[]): readonly Buffer[];
};

type Generation = {
  readonly parts: Map<string, readonly Buffer[]>;
  total: number;
  slab: Buffer;
  filled: number;
};

const slabBytes = 256 * 1024;
/** What a part takes beside its bytes: key, views of the slab, entry of the map. */
const partBytes = 1024;

/**
 * Parts that are used last, of no more than `maxBytes`, in two generations: what is used moves to the younger one; when that is
 * full the older one goes, which costs no book-keeping at each use. The bytes of a generation lie in slabs of its own, which go
 * together: thousands of small buffers that come and go would leave holes between them (decision 15).
 */
export function createPartCache(maxBytes: number): PartCache {
  let younger = emptyGeneration();
  let older = emptyGeneration();

  function put<P extends string | Buffer>(key: string, pieces: readonly P[]): readonly Buffer[] {
    let length = 0;
    for (const piece of pieces) length += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length;
    const size = length + partBytes;
    if (size > maxBytes / 8) return pieces.map((piece) => Buffer.from(piece));
    if (younger.total + size > maxBytes / 2) {
      older = younger;
      younger = emptyGeneration();
    }
    const kept = placeIn(younger, pieces, length);
    younger.parts.set(key, kept);
    younger.total += size;
    return kept;
  }

  return {
    find(key) {
      const known = younger.parts.get(key);
      if (known !== undefined) return known;
      const before = older.parts.get(key);
      return before && put(key, before);
    },
    keep: put,
  };
}

function placeIn(
  generation: Generation,
  pieces: readonly (string | Buffer)[],
  length: number,
): readonly Buffer[] {
  if (generation.filled + length > generation.slab.length) {
    generation.slab = Buffer.allocUnsafeSlow(Math.max(length, slabBytes));
    generation.filled = 0;
  }
  const { slab } = generation;
  return pieces.map((piece) => {
    const start = generation.filled;
    generation.filled += typeof piece === 'string' ? slab.write(piece, start) : piece.copy(slab, start);
    return slab.subarray(start, generation.filled);
  });
}

function emptyGeneration(): Generation {
  return { parts: new Map(), total: 0, slab: Buffer.alloc(0), filled: 0 };
}
