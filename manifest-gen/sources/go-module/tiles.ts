import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { auditPath, nodeHash, type Subtree } from '../../verify/checksum-database/tree.ts';

/**
 * The tree of the checksum database in tiles of 256 hashes (golang.org/x/mod/sumdb/tlog, Tile): level 0 has the hashes of
 * entries, level 1 those of whole tiles of level 0, and so on. The last of a level is as wide as the tree's size makes it.
 */
type Tile = { readonly level: number; readonly index: number; readonly width: number };

const width = 256;
const hashBytes = 32;

/**
 * The subtrees that lie beside these entries on their way to the head of a tree of that size, from the files of tiles in `dir`.
 * @throws the errors of the file system when one is missing
 */
export async function loadTiles(dir: string, size: number, ids: readonly number[]): Promise<Subtree> {
  const needed = new Map<string, Tile>();
  const note: Subtree = (first, count) => {
    const { tile } = placeOf(first, count, size);
    needed.set(pathOf(tile), tile);
    return Buffer.alloc(hashBytes);
  };
  for (const id of ids) auditPath({ size, id }, note);
  const loaded = new Map<string, Buffer>();
  for (const [path, tile] of needed) loaded.set(path, await readTile(dir, tile));
  return (first, count) => {
    const { tile, from, hashes } = placeOf(first, count, size);
    const bytes = (loaded.get(pathOf(tile)) ?? Buffer.alloc(0)).subarray(from * hashBytes);
    return over(
      Array.from({ length: hashes }, (_, at) => bytes.subarray(at * hashBytes, (at + 1) * hashBytes)),
    );
  };
}

/** Which hashes of which tile come to a whole subtree. */
function placeOf(first: number, count: number, size: number): { tile: Tile; from: number; hashes: number } {
  const level = Math.floor(Math.log2(count) / Math.log2(width));
  const unit = width ** level;
  const at = first / unit;
  const index = Math.floor(at / width);
  const last = Math.floor(size / unit) - index * width;
  return { tile: { level, index, width: Math.min(width, last) }, from: at % width, hashes: count / unit };
}

/** The hash over a power of two of neighbours. */
function over(hashes: readonly Buffer[]): Buffer {
  const [first = Buffer.alloc(hashBytes), ...rest] = hashes;
  if (rest.length === 0) return first;
  const half = hashes.length / 2;
  return nodeHash(over(hashes.slice(0, half)), over(hashes.slice(half)));
}

/** A tile that was narrow in an older tree may be there whole. */
async function readTile(dir: string, tile: Tile): Promise<Buffer> {
  try {
    return await readFile(join(dir, pathOf(tile)));
  } catch (error) {
    if (tile.width === width) throw error;
    return readFile(join(dir, pathOf({ ...tile, width })));
  }
}

/** `8/1/x001/013.p/42`: thousands of the number in folders, `.p/WIDTH` for one that is not whole. */
function pathOf({ level, index, width: wide }: Tile): string {
  const digits = String(index).padStart(Math.ceil(String(index).length / 3) * 3, '0');
  const parts = digits.match(/\d{3}/g) ?? [];
  const number = parts.map((part, at) => (at < parts.length - 1 ? `x${part}` : part)).join('/');
  return `8/${level}/${number}${wide === width ? '' : `.p/${wide}`}`;
}
