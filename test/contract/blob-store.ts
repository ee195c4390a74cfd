import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../../formats/digest.ts';
import type { BlobStore, Range, StoredBlob, TakePiece, Upload } from '../../server/blobs/blob-store.ts';
import { taken } from '../kit/taken.ts';

export type BlobStoreFixture = {
  readonly store: BlobStore;
  /** Closes the store and opens what it wrote again. */
  reopen(): Promise<BlobStore>;
  /** Names of all that the store holds outside of blobs: uploads, leftovers. */
  leftovers(): Promise<string[]>;
  close(): Promise<void>;
};

/** What every blob store does. `open` makes an empty one. */
export function describeBlobStore(name: string, open: () => Promise<BlobStoreFixture>): void {
  describe(name, () => {
    let fixture: BlobStoreFixture;
    let store: BlobStore;
    beforeEach(async () => {
      fixture = await open();
      store = fixture.store;
    });
    afterEach(() => fixture.close());

    const bytes = Buffer.from('what a package is made of');
    const { sha256 } = digestBytes(bytes);
    const receive = (content: Buffer, maxBytes = 1_000_000) =>
      store.receive(Readable.from([content]), maxBytes);
    async function put(content: Buffer): Promise<string> {
      const upload = await receive(content);
      await upload.commit();
      await upload.discard();
      return upload.digest.sha256;
    }
    async function listed(): Promise<StoredBlob[]> {
      const found: StoredBlob[] = [];
      for await (const blob of store.list()) found.push(blob);
      return found;
    }
    const readBack = async (...args: Parameters<BlobStore['open']>) => buffer(await store.open(...args));

    it('shows nothing of an upload but its digest and its bytes', async () => {
      const upload = await receive(bytes);

      expect(upload.digest).toEqual(digestBytes(bytes));
      expect(await bytesOf(upload)).toEqual(bytes);
      expect(await store.has(sha256)).toBe(false);
      await expect(store.open(sha256)).rejects.toThrow();
    });

    it('returns committed bytes, also after reopening', async () => {
      await put(bytes);

      expect(await store.has(sha256)).toBe(true);
      expect(await readBack(sha256)).toEqual(bytes);
      expect(await fixture.leftovers()).toEqual([]);
      store = await fixture.reopen();
      expect(await readBack(sha256)).toEqual(bytes);
    });

    it('leaves nothing after a discard, but keeps a committed blob', async () => {
      const dropped = await receive(Buffer.from('dropped'));
      await dropped.discard();
      await dropped.discard();
      const kept = await receive(bytes);
      await kept.commit();
      await kept.discard();

      expect(await store.has(dropped.digest.sha256)).toBe(false);
      expect(await readBack(sha256)).toEqual(bytes);
      expect(await fixture.leftovers()).toEqual([]);
    });

    it('stores equal bytes once when sixteen commit them at the same time', async () => {
      const digests = await Promise.all(Array.from({ length: 16 }, () => put(bytes)));

      expect(new Set(digests)).toEqual(new Set([sha256]));
      expect(await readBack(sha256)).toEqual(bytes);
      expect(await fixture.leftovers()).toEqual([]);
    });

    it('stores an empty stream', async () => {
      const empty = await put(Buffer.alloc(0));

      expect(await readBack(empty)).toEqual(Buffer.alloc(0));
    });

    it.each([0, 1, 256 * 1024, 256 * 1024 + 1, 3_000_000])(
      'makes %i bytes readable before they are committed',
      async (size) => {
        const content = Buffer.alloc(size, 'abcdefg');
        const upload = await store.receive(Readable.from(pieces(content, 100_000)), 10_000_000);

        expect((await bytesOf(upload)).equals(content)).toBe(true);
        await upload.commit();
        expect((await readBack(upload.digest.sha256)).equals(content)).toBe(true);
        expect(await fixture.leftovers()).toEqual([]);
      },
    );

    it('stores bytes larger than any internal buffer', async () => {
      const chunk = Buffer.alloc(1_000_003, 'abcdefg');
      const source = Readable.from(Array.from({ length: 7 }, () => chunk));

      const upload = await store.receive(source, 10_000_000);
      await upload.commit();

      const whole = Buffer.concat(Array.from({ length: 7 }, () => chunk));
      expect(upload.digest).toEqual(digestBytes(whole));
      expect((await readBack(upload.digest.sha256)).equals(whole)).toBe(true);
    });

    it.each([
      [0, 0],
      [0, 3],
      [5, 11],
      [bytes.length - 1, bytes.length - 1],
    ])('reads the range %i to %i, both included', async (start, end) => {
      await put(bytes);

      expect(await readBack(sha256, { start, end })).toEqual(bytes.subarray(start, end + 1));
    });

    it.each([1, 256 * 1024, 256 * 1024 + 1, 900_000])('reads %i bytes piece by piece', async (size) => {
      const content = Buffer.from(Array.from({ length: size }, (_, n) => n % 251));
      const name = await put(content);
      const readTo = (...args: [Range, TakePiece]) => store.readTo(name, ...args);
      const whole = { start: 0, end: size - 1 };

      // At the same time, from memory that is used again.
      const copies = await Promise.all(Array.from({ length: 10 }, () => taken(readTo, whole)));
      expect(copies.every((copy) => copy.equals(content))).toBe(true);
      const part = { start: Math.floor(size / 3), end: Math.floor(size / 2) };
      expect((await taken(readTo, part)).equals(content.subarray(part.start, part.end + 1))).toBe(true);
    });

    it('reports a missing or short blob when reading pieces, and stops when the reader throws', async () => {
      const name = await put(bytes);
      const readTo = (sha: string, end: number, take: TakePiece) =>
        store.readTo(sha, { start: 0, end }, take);

      await expect(readTo('0'.repeat(64), 1, async () => undefined)).rejects.toThrow();
      await expect(readTo(name, bytes.length, async () => undefined)).rejects.toThrow('ends at');
      const refusing = readTo(name, bytes.length - 1, () => Promise.reject(new Error('no more')));
      await expect(refusing).rejects.toThrow('no more');
    });

    it('accepts exactly the allowed number of bytes, refuses one more and leaves nothing', async () => {
      const upload = await receive(bytes, bytes.length);
      await upload.discard();

      await expect(receive(bytes, bytes.length - 1)).rejects.toMatchObject({ code: 'PACKAGE_TOO_LARGE' });
      expect(await fixture.leftovers()).toEqual([]);
    });

    it('leaves nothing of a stream that fails', async () => {
      const source = new Readable({ read() {} });
      const receiving = store.receive(source, 1000);
      source.push('the beginning');
      source.destroy(new Error('the line is cut'));

      await expect(receiving).rejects.toThrow('the line is cut');
      expect(await fixture.leftovers()).toEqual([]);
    });

    it('removes the uploads of a crashed process when it is opened', async () => {
      await receive(Buffer.alloc(1_000_000, 'x'));
      expect(await fixture.leftovers()).toHaveLength(1);

      await fixture.reopen();

      expect(await fixture.leftovers()).toEqual([]);
    });

    it.each(['', 'abc', '../../catalog.db', `${'a'.repeat(63)}/`, 'A'.repeat(64)])(
      'refuses %j, which is not a digest',
      async (digest) => {
        await expect(store.has(digest)).rejects.toThrow();
        await expect(store.open(digest)).rejects.toThrow();
        await expect(store.remove(digest)).rejects.toThrow();
      },
    );

    it('lets a reader finish while the same bytes are committed again', async () => {
      await put(bytes);
      const reader = await store.open(sha256);
      await put(bytes);

      expect(await buffer(reader)).toEqual(bytes);
    });

    it('lists every blob once with its size, in the order of names, and no upload', async () => {
      const contents = Array.from({ length: 20 }, (_, n) => Buffer.alloc(n, 'x'));
      await receive(Buffer.from('a upload'));
      for (const content of [...contents, ...contents]) await put(content);

      const found = await listed();

      const expected = contents.map((content) => digestBytes(content));
      expect(found.map(({ sha256, sizeBytes }) => [sha256, sizeBytes])).toEqual(
        expected.map(({ sha256, sizeBytes }) => [sha256, sizeBytes]).sort(),
      );
      for (const { written } of found)
        expect(Math.abs(Date.now() - written.getTime())).toBeLessThan(3_600_000);
    });

    it('removes a blob, and nothing when it is not there', async () => {
      await put(bytes);
      await put(Buffer.from('another'));

      expect(await store.remove(sha256)).toBe(true);
      expect(await store.remove(sha256)).toBe(true);

      expect(await store.has(sha256)).toBe(false);
      expect(await listed()).toHaveLength(1);
      await put(bytes);
      expect(await readBack(sha256)).toEqual(bytes);
    });

    it.each(['commit', 'commitPending'] as const)(
      'keeps bytes stored by %s until their row is written',
      async (way) => {
        await put(bytes);
        const upload = await store.receive(Readable.from([bytes]), bytes.length);
        await upload[way]();

        expect(await store.remove(sha256)).toBe(false);
        expect(await readBack(sha256)).toEqual(bytes);
        await upload.discard();
        expect(await store.remove(sha256)).toBe(true);
      },
    );

    it('does not report bytes as removed that a push stored again meanwhile', async () => {
      await put(bytes);
      const upload = await store.receive(Readable.from([bytes]), bytes.length);

      const removing = store.remove(sha256);
      await upload.commitPending();
      await upload.discard();

      expect(await removing).toBe(!(await store.has(sha256)));
      expect(await store.remove(sha256)).toBe(true);
      expect(await store.has(sha256)).toBe(false);
    });

    it('gives its files back when a reader goes away', async () => {
      await put(bytes);
      const reader = await store.open(sha256);

      reader.destroy();
      await once(reader, 'close');

      expect(reader.destroyed).toBe(true);
    });

    it('answers a ping', async () => {
      await store.ping();

      expect(await fixture.leftovers()).toEqual([]);
    });
  });
}

async function bytesOf({ content }: Upload): Promise<Buffer> {
  return typeof content === 'string' ? readFile(content) : content;
}

function pieces(bytes: Buffer, size: number): Buffer[] {
  const count = Math.ceil(bytes.length / size);
  return Array.from({ length: count }, (_, n) => bytes.subarray(n * size, (n + 1) * size));
}
