/** A cache of rendered parts of documents, by what they were rendered from. */
export type PartCache = {
  /** The part that `get` last made for this key, whatever its filling. */
  find(key: string): Buffer | undefined;
  /**
   * The part as bytes. `render` makes its pieces, split where it contains something that changes often; `filling` has the current
   * text for each gap.
   */
  get(key: string, filling: readonly string[], render: () => readonly string[]): Buffer;
};

type Kept = {
  readonly bytes: Buffer;
  readonly filling: readonly string[];
  /** The end of each piece. */
  readonly ends: readonly number[];
};
type Generation = { readonly parts: Map<string, Kept>; total: number; slab: Buffer; filled: number };

const slabBytes = 256 * 1024;
/** The size of a part besides its bytes: key, view of the slab, entry of the map. */
const partBytes = 768;

/**
 * Keeps the most recently used parts, up to `maxBytes`, in two generations: using one moves it to the younger generation; when
 * that is full the older one is dropped, so that a use costs no bookkeeping. Each generation stores its bytes in its own slabs,
 * which are freed together: thousands of small buffers that come and go would leave gaps between them (decision 15).
 */
export function createPartCache(maxBytes: number): PartCache {
  let younger = emptyGeneration();
  let older = emptyGeneration();

  function keep(key: string, text: string | Buffer, of: Omit<Kept, 'bytes'>): Buffer {
    const length = typeof text === 'string' ? Buffer.byteLength(text) : text.length;
    const size = length + partBytes;
    if (size > maxBytes / 8) return Buffer.from(text);
    if (younger.total + size > maxBytes / 2) {
      older = younger;
      younger = emptyGeneration();
    }
    const bytes = placeIn(younger, text, length);
    younger.parts.set(key, { ...of, bytes });
    younger.total += size;
    return bytes;
  }

  return {
    find: (key) => (younger.parts.get(key) ?? older.parts.get(key))?.bytes,
    get(key, filling, render) {
      const known = younger.parts.get(key);
      if (known !== undefined && isSame(known.filling, filling)) return known.bytes;
      const before = known ?? older.parts.get(key);
      if (before !== undefined && isSame(before.filling, filling)) return keep(key, before.bytes, before);
      const pieces = before === undefined ? render() : piecesOf(before);
      return keep(key, fill(pieces, filling), { filling, ends: endsOf(pieces, filling) });
    },
  };
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}

/** The pieces with the filling in their gaps. */
export function fill(pieces: readonly string[], filling: readonly string[]): string {
  let text = '';
  for (const [at, piece] of pieces.entries()) text += piece + (filling[at] ?? '');
  return text;
}

function endsOf(pieces: readonly string[], filling: readonly string[]): number[] {
  let length = 0;
  return pieces.map((piece, at) => {
    const end = length + Buffer.byteLength(piece);
    length = end + Buffer.byteLength(filling[at] ?? '');
    return end;
  });
}

function piecesOf({ bytes, filling, ends }: Kept): string[] {
  let start = 0;
  return ends.map((end, at) => {
    const piece = bytes.toString('utf8', start, end);
    start = end + Buffer.byteLength(filling[at] ?? '');
    return piece;
  });
}

function placeIn(generation: Generation, text: string | Buffer, length: number): Buffer {
  if (generation.filled + length > generation.slab.length) {
    generation.slab = Buffer.allocUnsafeSlow(Math.max(length, slabBytes));
    generation.filled = 0;
  }
  const { slab, filled } = generation;
  generation.filled += typeof text === 'string' ? slab.write(text, filled) : text.copy(slab, filled);
  return slab.subarray(filled, generation.filled);
}

function emptyGeneration(): Generation {
  return { parts: new Map(), total: 0, slab: Buffer.alloc(0), filled: 0 };
}
