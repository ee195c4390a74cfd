import { type FileHandle, open } from 'node:fs/promises';
import type { Range, TakePiece } from './blob-store.ts';

/** Four times that of Node's streams: a large file takes a quarter of the reads and writes. */
export const pieceBytes = 256 * 1024;
/** Two for each of eight readers; what more readers have is given back to the system. */
const maxKept = 16;

/**
 * Reads files through memory that is used again. A stream takes new memory for each piece; V8 counts it as its own and
 * collects the whole heap again and again, which takes the longer the more a server holds (decision 15).
 */
export function createPieceReader() {
  const free: Buffer[] = [];

  /** The next piece is read while the one before is being taken. */
  async function readTo(file: FileHandle, { start, end }: Range, take: TakePiece): Promise<void> {
    const turns: Buffer[] = [];
    let taking: Promise<void> = Promise.resolve();
    for (let at = start, turn = 0; at <= end; turn += 1) {
      turns[turn % 2] ??= free.pop() ?? Buffer.allocUnsafeSlow(pieceBytes);
      const piece = turns[turn % 2] as Buffer;
      const wanted = Math.min(pieceBytes, end + 1 - at);
      const [{ bytesRead }] = await Promise.all([file.read(piece, 0, wanted, at), taking]);
      if (bytesRead === 0) throw new Error(`A file ends at ${at}, before ${end}`);
      at += bytesRead;
      taking = take(piece.subarray(0, bytesRead));
      // Heard in the next turn, or behind the last.
      taking.catch(() => undefined);
    }
    await taking;
    // Not after an error: whoever took a piece may still be looking at it.
    free.push(...turns.slice(0, maxKept - free.length));
  }

  /** @throws when the file is not there or ends before the range does; what `take` throws */
  return async (path: string, range: Range, take: TakePiece): Promise<void> => {
    const file = await open(path, 'r');
    try {
      await readTo(file, range, take);
    } finally {
      await file.close();
    }
  };
}
