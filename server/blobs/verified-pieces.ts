import { createHash, type Hash } from 'node:crypto';
import { fail } from '../errors.ts';

/** What the reader has of the blob so far; its hash goes on with what follows. */
export type SeenBytes = { readonly hash: Hash; readonly sizeBytes: number };

/**
 * Passes the bytes of a whole blob on, the last of them only when all have the right SHA-256: whoever reads others gets an error, and
 * never all of them.
 * @throws FeedError OBJECT_DAMAGED
 */
export async function* verifiedPieces(
  pieces: AsyncIterable<Buffer>,
  { sha256, sizeBytes }: { readonly sha256: string; readonly sizeBytes: number },
  before: SeenBytes = { hash: createHash('sha256'), sizeBytes: 0 },
): AsyncGenerator<Buffer, void, undefined> {
  const { hash } = before;
  let last: Buffer | undefined;
  let seenBytes = before.sizeBytes;
  for await (const piece of pieces) {
    if (last !== undefined) yield last;
    hash.update(piece);
    seenBytes += piece.length;
    if (seenBytes > sizeBytes) fail('OBJECT_DAMAGED', { sha256 });
    last = piece;
  }
  if (seenBytes !== sizeBytes || hash.digest('hex') !== sha256) fail('OBJECT_DAMAGED', { sha256 });
  if (last !== undefined) yield last;
}
