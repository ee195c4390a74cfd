import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { deflateBeside, deflateHere, type Piece, pieceBytes } from './deflate.ts';
import { makeWhole } from './whole-file.ts';

/**
 * A zip whose bytes depend on nothing but its entries (docs/decisions/0003-reproducible-nupkg.md):
 *
 *     per entry:  local header (30 bytes + name) | raw deflate
 *     at the end: central directory (46 bytes + name per entry) | end record (22 bytes)
 *
 * Each entry's sizes and CRC are written into its local header after its data, so there are no data descriptors
 * (System.IO.Packaging, which old choco reads with, is happiest without) and one entry is in memory at a time, piecewise.
 */
export type ZipEntry = {
  /** ASCII, forward slashes. */
  readonly name: string;
  /** A chunk is read to its end before the next is asked for, so all of them may lie in one buffer. */
  readonly content: Chunks;
  /** The content is what this writer made of it before, under the same sizes: it is not compressed again. */
  readonly deflatedAs?: Pick<Deflated, 'sizes'>;
};
type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** The data of an entry as they lie in the zip. */
export type Deflated = {
  readonly start: number;
  readonly compressedBytes: number;
  /** Of the compressed bytes, as they were written. */
  readonly sha256: string;
  /** The twelve bytes CRC, compressed size, size, as both headers hold them. */
  readonly sizes: Buffer;
};

/** 1980-01-01 00:00, the first moment DOS knows, as its two words: written down, so no clock or time zone is involved. */
const dosTime = 0x0000;
const dosDate = 0x0021;
const versionNeeded = 20; // deflate
const methodDeflate = 8;
const maxBytes = 0xffff_fffe; // no zip64: choco's and Scoop's readers differ there, and a tool is not 4 GiB

type Written = { readonly name: Buffer; readonly offset: number; readonly deflated: Deflated };

/**
 * Writes the entries in the order given; `path` appears whole or not at all.
 * @returns where the data of each entry lie
 */
export function writeZip(path: string, entries: readonly ZipEntry[]): Promise<readonly Deflated[]> {
  return makeWhole(path, async (part) => {
    const file = await open(part, 'w');
    try {
      return await writeEntries(file, entries);
    } finally {
      await file.close();
    }
  });
}

async function writeEntries(file: FileHandle, entries: readonly ZipEntry[]): Promise<readonly Deflated[]> {
  const written: Written[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name, 'ascii');
    const dataOffset = offset + 30 + name.length;
    const deflated = await writeEntry(file, dataOffset, entry);
    await writeAll(file, Buffer.concat([localHeader(name, deflated.sizes), name]), offset);
    written.push({ name, offset, deflated });
    offset = within(dataOffset + deflated.compressedBytes);
  }

  const directory = Buffer.concat(written.flatMap((entry) => [centralHeader(entry), entry.name]));
  await writeAll(
    file,
    Buffer.concat([directory, endRecord(written.length, directory.length, offset)]),
    offset,
  );
  return written.map(({ deflated }) => deflated);
}

async function writeEntry(
  file: FileHandle,
  start: number,
  { content, deflatedAs }: ZipEntry,
): Promise<Deflated> {
  let crc = 0;
  let bytes = 0;
  const onPiece = (piece: Buffer): void => {
    crc = crc32(piece, crc);
    bytes += piece.length;
  };
  let compressedBytes = 0;
  const hash = createHash('sha256');
  const chunks = deflatedAs === undefined ? deflated(equalPieces(content, onPiece)) : content;
  for await (const chunk of chunks) {
    await writeAll(file, chunk, start + compressedBytes);
    hash.update(chunk);
    compressedBytes = within(compressedBytes + chunk.length);
  }
  const sizes = deflatedAs?.sizes ?? words(4, crc, compressedBytes, within(bytes));
  return { start, compressedBytes, sha256: hash.digest('hex'), sizes };
}

/** An entry of one piece is done before a thread has begun. */
async function* deflated(pieces: AsyncGenerator<Piece, void>): AsyncGenerator<Uint8Array> {
  const first = (await pieces.next()).value;
  if (first === undefined) return;
  if (first.isLast) yield* deflateHere(first);
  else yield* deflateBeside(chain(first, pieces));
}

async function* chain<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}

/** However a stream cuts its chunks, the compressor sees pieces of one size, the last one shorter (or empty). */
async function* equalPieces(content: Chunks, onPiece: (piece: Buffer) => void): AsyncGenerator<Piece, void> {
  let piece = Buffer.alloc(pieceBytes);
  let filled = 0;
  for await (const chunk of content) {
    for (let at = 0; at < chunk.length; ) {
      if (filled === pieceBytes) {
        onPiece(piece);
        yield { piece, isLast: false };
        piece = Buffer.alloc(pieceBytes);
        filled = 0;
      }
      const taken = chunk.subarray(at, at + pieceBytes - filled);
      piece.set(taken, filled);
      filled += taken.length;
      at += taken.length;
    }
  }
  const last = piece.subarray(0, filled);
  onPiece(last);
  yield { piece: last, isLast: true };
}

function localHeader(name: Buffer, sizes: Buffer): Buffer {
  return Buffer.concat([
    words(4, 0x04034b50),
    words(2, versionNeeded, 0, methodDeflate, dosTime, dosDate),
    sizes,
    words(2, name.length, 0),
  ]);
}

/** Made by "DOS": no Unix mode, no owner, so that a checkout's umask cannot leak into the bytes. */
function centralHeader({ name, offset, deflated: { sizes } }: Written): Buffer {
  return Buffer.concat([
    words(4, 0x02014b50),
    words(2, versionNeeded, versionNeeded, 0, methodDeflate, dosTime, dosDate),
    sizes,
    words(2, name.length, 0, 0, 0, 0),
    words(4, 0, offset),
  ]);
}

function endRecord(count: number, directoryBytes: number, directoryOffset: number): Buffer {
  return Buffer.concat([
    words(4, 0x06054b50),
    words(2, 0, 0, count, count),
    words(4, directoryBytes, directoryOffset),
    words(2, 0),
  ]);
}

/** Numbers of that many bytes each, little-endian. */
function words(bytes: 2 | 4, ...numbers: readonly number[]): Buffer {
  const buffer = Buffer.alloc(bytes * numbers.length);
  for (const [at, number] of numbers.entries()) buffer.writeUIntLE(number, at * bytes, bytes);
  return buffer;
}

function within(bytes: number): number {
  if (bytes > maxBytes) throw new RangeError(`A package cannot hold more than ${maxBytes} bytes.`);
  return bytes;
}

/** A single write may be short; this loops as `writeFile` does, at a position of our choice. */
async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}
