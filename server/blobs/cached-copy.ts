import { type FileHandle, open } from 'node:fs/promises';
import type { Range, TakePiece } from './blob-store.ts';
import { pieceBytes } from './disk-pieces.ts';

/** A copy that is being written; readers follow the writer. */
export type GrowingCopy = {
  /**
   * Passes the range on as far as it comes. Returns where it ended: past the range, or where the copy broke off.
   */
  readTo(range: Range, take: TakePiece): Promise<number>;
  /** Resolves when the copy is complete and durable; rejects with what broke it off. */
  readonly written: Promise<void>;
  /** Call it once, when nobody begins to read any more; the file is closed after its last reader. */
  release(): Promise<void>;
};

/** Writes the pieces into a new file. Readers may go at any speed: the writer waits for none. */
export function writeCopy(pieces: AsyncIterable<Buffer>, file: string): GrowingCopy {
  let handle: FileHandle | undefined;
  let sizeBytes = 0;
  let hasEnded = false;
  let users = 1;
  let wake: (() => void)[] = [];

  function progress(): void {
    const waiting = wake;
    wake = [];
    for (const go of waiting) go();
  }

  async function leave(): Promise<void> {
    users -= 1;
    if (users === 0) await handle?.close();
  }

  async function write(): Promise<void> {
    try {
      handle = await open(file, 'wx+');
      for await (const piece of pieces) {
        await handle.writeFile(piece);
        sizeBytes += piece.length;
        progress();
      }
      // Its readers need not wait for the disk.
      hasEnded = true;
      progress();
      await handle.sync();
    } finally {
      hasEnded = true;
      progress();
    }
  }

  async function readTo({ start, end }: Range, take: TakePiece): Promise<number> {
    users += 1;
    try {
      const piece = Buffer.allocUnsafeSlow(Math.min(pieceBytes, end - start + 1));
      let at = start;
      while (at <= end) {
        if (at < sizeBytes && handle !== undefined) {
          const wanted = Math.min(piece.length, sizeBytes - at, end + 1 - at);
          const { bytesRead } = await handle.read(piece, 0, wanted, at);
          if (bytesRead === 0) return at;
          await take(piece.subarray(0, bytesRead));
          at += bytesRead;
        } else if (hasEnded) {
          return at;
        } else {
          await new Promise<void>((resolve) => wake.push(resolve));
        }
      }
      return at;
    } finally {
      await leave();
    }
  }

  const written = write();
  written.catch(() => undefined);
  return { readTo, written, release: leave };
}
