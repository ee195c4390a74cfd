import { randomBytes } from 'node:crypto';
import { open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Range, TakePiece } from '../../../server/blobs/blob-store.ts';
import { createPieceReader, pieceBytes } from '../../../server/blobs/disk-pieces.ts';
import { makeTempDir } from '../../kit/test-server.ts';

describe('pieces of a file', () => {
  let dir: string;
  let file: string;
  const bytes = randomBytes(3 * pieceBytes + 7);
  const whole = { start: 0, end: bytes.length - 1 };
  beforeAll(async () => {
    dir = await makeTempDir();
    file = join(dir, 'file');
    await writeFile(file, bytes);
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  it('are small for further readers while many are stalled, and complete', async () => {
    const readPieces = createPieceReader();
    const read = async (range: Range, take: TakePiece) => readPieces(await open(file), range, take);
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const first: number[] = [];
    const slow = Array.from({ length: 100 }, () => {
      let isFirst = true;
      return read(whole, async (piece) => {
        if (isFirst) first.push(piece.length);
        isFirst = false;
        await held;
      });
    });
    while (first.length < 100) await new Promise((resolve) => setImmediate(resolve));

    const pieces: Buffer[] = [];
    await read(whole, async (piece) => void pieces.push(Buffer.from(piece)));

    expect(first.reduce((sum, length) => sum + length, 0)).toBeLessThan(70 * pieceBytes);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(pieceBytes);
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);

    letGo();
    await Promise.all(slow);
    const after: number[] = [];
    await read(whole, async (piece) => void after.push(piece.length));
    expect(after).toEqual([pieceBytes, pieceBytes, pieceBytes, 7]);
  });
});
