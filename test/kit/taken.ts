import type { Range, TakePiece } from '../../server/blobs/blob-store.ts';

/** All bytes that a reader hands out piece by piece; each is taken late and then overwritten, as its reader may do. */
export async function taken(
  readTo: (range: Range, take: TakePiece) => Promise<void>,
  range: Range,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  await readTo(range, async (bytes) => {
    await new Promise((resolve) => setImmediate(resolve));
    pieces.push(Buffer.from(bytes));
    bytes.fill(0);
  });
  return Buffer.concat(pieces);
}
