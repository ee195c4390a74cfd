import type { FileHandle } from 'node:fs/promises';
import type { Range, TakePiece } from './blob-store.ts';

/** Four times the default of Node's streams: a large file takes a quarter of the reads and writes. */
export const pieceBytes = 256 * 1024;
/** Above this number of readers, further ones get small pieces: a thousand slow clients would otherwise hold 512 MB. */
const manyReaders = 64;
const smallPieceBytes = 32 * 1024;
/** Two for each of eight readers; memory of further readers is returned to the system. */
const maxKept = 16;

/**
 * Reads files through reused memory. A stream allocates new memory for each piece; V8 counts that as its own and collects the
 * whole heap again and again, which takes longer the more a server holds (decision 15).
 */
export function createPieceReader() {
  const free: Buffer[] = [];
  let readers = 0;

  /** Reads the next piece while the previous one is being taken. */
  async function readTo(file: FileHandle, { start, end }: Range, take: TakePiece): Promise<void> {
    const size = readers > manyReaders ? smallPieceBytes : pieceBytes;
    const turns: Buffer[] = [];
    let taking: Promise<void> = Promise.resolve();
    for (let at = start, turn = 0; at <= end; turn += 1) {
      turns[turn % 2] ??= (size === pieceBytes ? free.pop() : undefined) ?? Buffer.allocUnsafeSlow(size);
      const piece = turns[turn % 2] as Buffer;
      const wanted = Math.min(size, end + 1 - at);
      const [{ bytesRead }] = await Promise.all([file.read(piece, 0, wanted, at), taking]);
      if (bytesRead === 0) throw new Error(`A file ends at ${at}, before ${end}`);
      at += bytesRead;
      taking = take(piece.subarray(0, bytesRead));
      // Handled in the next round, or after the last.
      taking.catch(() => undefined);
    }
    await taking;
    // Not after an error, since whoever took the piece may still be reading it.
    if (size === pieceBytes) free.push(...turns.slice(0, maxKept - free.length));
  }

  /** Closes the file. @throws when it ends before the range does; what `take` throws */
  return async (file: FileHandle, range: Range, take: TakePiece): Promise<void> => {
    readers += 1;
    try {
      await readTo(file, range, take);
    } finally {
      readers -= 1;
      await file.close();
    }
  };
}
