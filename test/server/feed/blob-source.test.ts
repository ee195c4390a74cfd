import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { Range } from '../../../server/blobs/blob-store.ts';
import { openCheckedSource } from '../../../server/feed/blob-source.ts';

/** Three blocks and a bit. */
const right = Buffer.from(Array.from({ length: 200_000 }, (_, at) => (at * 31) % 251));
const file = { sha256: createHash('sha256').update(right).digest('hex'), sizeBytes: right.length };

function storeOf(content: (range: Range | undefined) => Buffer) {
  return {
    open: async (_sha256: string, range?: Range) => {
      const bytes = content(range);
      const part = range === undefined ? bytes : bytes.subarray(range.start, range.end + 1);
      // In pieces that end anywhere.
      return Readable.from([part.subarray(0, 70_001), part.subarray(70_001)], { objectMode: false });
    },
  };
}

function changedAt(...places: readonly number[]): Buffer {
  const other = Buffer.from(right);
  for (const at of places) other[at] = (other[at] ?? 0) ^ 1;
  return other;
}

describe('a package that something is decided by', () => {
  it('is read at any place as it was stored', async () => {
    const source = await openCheckedSource(
      storeOf(() => right),
      file,
    );
    for (const [position, length] of [
      [0, 10],
      [65_530, 20],
      [199_990, 100],
      [0, 200_000],
    ] as const) {
      const target = Buffer.alloc(length);
      const copied = await source.read(target, position);
      expect(target.subarray(0, copied).equals(right.subarray(position, position + length))).toBe(true);
    }
  });

  it.each([
    ['other bytes', changedAt(3)],
    ['fewer bytes', right.subarray(0, 150_000)],
    ['more bytes', Buffer.concat([right, right])],
  ])('is not opened where the store has %s', async (_what, bytes) => {
    await expect(
      openCheckedSource(
        storeOf(() => bytes),
        file,
      ),
    ).rejects.toMatchObject({
      code: 'OBJECT_DAMAGED',
    });
  });

  it('gives no byte that the store changed after it was opened', async () => {
    let now: Buffer = right;
    const source = await openCheckedSource(
      storeOf(() => now),
      file,
    );
    now = changedAt(70_000, 199_999);
    const target = Buffer.alloc(10);

    expect(await source.read(target, 100)).toBe(10);
    await expect(source.read(target, 70_100)).rejects.toMatchObject({ code: 'OBJECT_DAMAGED' });
    await expect(source.read(target, 199_000)).rejects.toMatchObject({ code: 'OBJECT_DAMAGED' });
  });
});
