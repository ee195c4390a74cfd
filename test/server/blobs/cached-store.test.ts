import { mkdir, mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../../../formats/digest.ts';
import type { BlobStore } from '../../../server/blobs/blob-store.ts';
import { type CachedStore, openCachedStore } from '../../../server/blobs/cached-store.ts';
import { openDiskStore } from '../../../server/blobs/disk-store.ts';
import { createLogger } from '../../../server/log.ts';
import { describeBlobStore } from '../../contract/blob-store.ts';
import { taken } from '../../kit/taken.ts';

const log = createLogger('silent');

describeBlobStore('a store with a cache', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'gwt-cache-'));
  const open = async () =>
    openCachedStore(await openDiskStore(join(dir, 'far')), { dir: join(dir, 'near'), maxBytes: 1e6, log });
  return {
    store: await open(),
    reopen: open,
    leftovers: () => readdir(join(dir, 'far', 'tmp')),
    close: () => rm(dir, { recursive: true, force: true }),
  };
});

describe('a cache in front of a store', () => {
  let dir: string;
  let far: BlobStore;
  /** What was asked of the store behind. */
  let asked: string[];
  /** Changed by a test: the store behind, as it is now. */
  let faults: Partial<BlobStore>;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gwt-cache-'));
    far = await openDiskStore(join(dir, 'far'));
    asked = [];
    faults = {};
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const near = () => join(dir, 'near');
  const bytes = Buffer.alloc(300_000, 'abcdefghijk');
  const { sha256 } = digestBytes(bytes);
  const whole = { start: 0, end: bytes.length - 1, of: bytes.length };

  async function put(content: Buffer): Promise<string> {
    const upload = await far.receive(Readable.from([content]), 1e7);
    await upload.commit();
    await upload.discard();
    return upload.digest.sha256;
  }

  function openCache(maxBytes = 1_000_000): Promise<CachedStore> {
    const behind: BlobStore = {
      ...far,
      open(name, range) {
        asked.push(range === undefined ? 'whole' : `${range.start}-${range.end}`);
        return (faults.open ?? far.open)(name, range);
      },
      readTo(name, range, take) {
        asked.push(`${range.start}-${range.end}`);
        return (faults.readTo ?? far.readTo)(name, range, take);
      },
    };
    return openCachedStore(behind, { dir: near(), maxBytes, log });
  }

  const read = (store: BlobStore, name = sha256, range = whole) =>
    taken((...args) => store.readTo(name, ...args), range);

  /** Names of copies. */
  async function kept(): Promise<string[]> {
    const folders = (await readdir(near())).filter((name) => name !== 'tmp');
    return (await Promise.all(folders.map((folder) => readdir(join(near(), folder))))).flat();
  }

  it('fetches a blob once for all who read it at the same time, and never again', async () => {
    await put(bytes);
    const store = await openCache();

    const copies = await Promise.all(Array.from({ length: 16 }, () => read(store)));

    expect(copies.every((copy) => copy.equals(bytes))).toBe(true);
    await expect.poll(kept).toEqual([sha256]);
    expect((await read(store)).equals(bytes)).toBe(true);
    expect((await buffer(await store.open(sha256, { start: 5, end: 9 }))).equals(bytes.subarray(5, 10))).toBe(
      true,
    );
    expect((await store.readSmall(sha256, bytes.length)).equals(bytes)).toBe(true);
    expect(asked).toEqual(['whole']);
    expect(await readdir(join(near(), 'tmp'))).toEqual([]);
  });

  it('still has its copies after a restart, without the store', async () => {
    await put(bytes);
    await read(await openCache());
    await expect.poll(kept).toEqual([sha256]);
    faults.open = () => Promise.reject(new Error('the store is away'));

    const store = await openCache();

    expect((await read(store)).equals(bytes)).toBe(true);
    expect(asked).toEqual(['whole']);
  });

  it('lets a reader of a part wait for nothing but this part', async () => {
    await put(bytes);
    const store = await openCache();
    faults.open = () => new Promise(() => undefined);

    const part = await read(store, sha256, { start: 100, end: 199, of: bytes.length });

    expect(part.equals(bytes.subarray(100, 200))).toBe(true);
    expect(asked).toContain('100-199');
  });

  it('keeps the whole of a small blob of which somebody read two parts, and fetches one byte for one byte', async () => {
    await put(bytes);
    const store = await openCache();

    await read(store, sha256, { start: 100, end: 100, of: bytes.length });
    expect(asked).toEqual(['100-100']);
    await read(store, sha256, { start: 101, end: 199, of: bytes.length });

    await expect.poll(kept).toEqual([sha256]);
  });

  it('keeps the whole of a small blob into which this server looks', async () => {
    await put(bytes);
    const store = await openCache();

    await buffer(await store.open(sha256, { start: 100, end: 199, of: bytes.length }));

    await expect.poll(kept).toEqual([sha256]);
  });

  it.each(['before', 'after'])(
    'never gives all of a blob that breaks off and has changed %s that',
    async (where) => {
      const changed = Buffer.concat([bytes.subarray(0, 50), Buffer.from('!'), bytes.subarray(51)]);
      const store = await openCache();
      faults.open = async (_, range) =>
        Readable.from(
          (async function* (): AsyncGenerator<Buffer, void> {
            if (range !== undefined) {
              yield where === 'after' ? Buffer.alloc(200_000, '!') : bytes.subarray(range.start);
              return;
            }
            yield (where === 'before' ? changed : bytes).subarray(0, 100_000);
            yield bytes.subarray(100_000, 200_000);
            throw new Error('cut');
          })(),
        );
      let seen = 0;

      const reading = store.readTo(sha256, whole, async (piece) => {
        seen += piece.length;
      });

      await expect(reading).rejects.toMatchObject({ code: 'OBJECT_DAMAGED' });
      expect(seen).toBeLessThan(bytes.length);
    },
  );

  it('holds at most its bytes, and forgets what was used longest ago', async () => {
    const names = [];
    for (const letter of 'abcd') names.push(await put(Buffer.alloc(40_000, letter)));
    const store = await openCache(100_000);
    const readOne = async (name = '') => {
      // Its file is there a moment before the cache knows of it.
      const isCached = async (): Promise<boolean> => {
        const before = asked.length;
        await read(store, name, { start: 0, end: 39_999, of: 40_000 });
        return asked.length === before;
      };
      await expect.poll(isCached).toBe(true);
    };
    const [a, b, c, d] = names;

    await readOne(a);
    await readOne(b);
    await readOne(a);
    await readOne(c);
    await expect.poll(async () => (await kept()).sort()).toEqual([a, c].sort());
    await readOne(d);

    await expect.poll(async () => (await kept()).sort()).toEqual([c, d].sort());
    await (await openCache(50_000)).close();
    expect(await kept()).toHaveLength(1);
  });

  it.each([0, 200_000])(
    'reads a blob that does not fit into %i bytes from the store each time',
    async (maxBytes) => {
      await put(bytes);
      const store = await openCache(maxBytes);

      expect((await read(store)).equals(bytes)).toBe(true);
      expect((await read(store)).equals(bytes)).toBe(true);

      expect(asked).toEqual(['whole', 'whole']);
      expect(await kept()).toEqual([]);
    },
  );

  it.each([1_000_000, 0])(
    'never gives all of a blob whose bytes were changed (cache of %i bytes)',
    async (maxBytes) => {
      const store = await openCache(maxBytes);
      const changed = Buffer.concat([bytes.subarray(0, -1), Buffer.from('!')]);
      faults.open = async () => Readable.from([changed.subarray(0, 100_000), changed.subarray(100_000)]);
      let seen = 0;

      const reading = store.readTo(sha256, whole, async (piece) => {
        seen += piece.length;
      });

      await expect(reading).rejects.toMatchObject({ code: 'OBJECT_DAMAGED' });
      expect(seen).toBeLessThan(bytes.length);
      await setImmediate();
      expect(await kept()).toEqual([]);
    },
  );

  it.each([
    ['too short', bytes.subarray(1)],
    ['too long', Buffer.concat([bytes, bytes])],
  ])('refuses a blob that is %s', async (_, content) => {
    const store = await openCache();
    faults.open = async () => Readable.from([content]);

    await expect(read(store)).rejects.toMatchObject({ code: 'OBJECT_DAMAGED' });
  });

  it('reads on in the store where fetching a copy broke off, and keeps no half file', async () => {
    await put(bytes);
    const store = await openCache();
    faults.open = async (name, range) => (range === undefined ? cutOff() : far.open(name, range));
    const cutOff = () =>
      Readable.from(
        (async function* () {
          yield bytes.subarray(0, 100_000);
          yield bytes.subarray(100_000, 200_000);
          throw new Error('cut');
        })(),
      );

    expect((await read(store)).equals(bytes)).toBe(true);

    // The last piece that came is kept back until the next, since it might be the last of all.
    expect(asked).toEqual(['whole', '100000-299999']);
    await expect.poll(() => readdir(join(near(), 'tmp'))).toEqual([]);
    expect(await kept()).toEqual([]);
  });

  it('reads from the store when no copy can be written', async () => {
    await put(bytes);
    const store = await openCache();
    await rm(near(), { recursive: true });
    await writeFile(near(), 'not a folder');

    expect((await read(store)).equals(bytes)).toBe(true);
    expect((await store.readSmall(sha256, bytes.length)).equals(bytes)).toBe(true);
  });

  it('reads on in the store where a copy was cut, and fetches it again', async () => {
    await put(bytes);
    const store = await openCache();
    await read(store);
    await expect.poll(kept).toEqual([sha256]);
    const copy = join(near(), sha256.slice(0, 2), sha256);
    await truncate(copy, 270_000);

    expect((await read(store)).equals(bytes)).toBe(true);
    await read(store);

    await expect.poll(async () => (await stat(copy).catch(() => undefined))?.size).toBe(bytes.length);
  });

  it('never gives the rest of a changed blob where a copy was cut', async () => {
    await put(bytes);
    const store = await openCache();
    await read(store);
    await expect.poll(kept).toEqual([sha256]);
    await truncate(join(near(), sha256.slice(0, 2), sha256), 270_000);
    const changed = (range = { start: 0 }) => Buffer.alloc(bytes.length - range.start, '!');
    faults.open = async (_, range) => Readable.from([changed(range)]);
    faults.readTo = (_, range, take) => take(changed(range));

    await expect(read(store)).rejects.toMatchObject({ code: 'OBJECT_DAMAGED' });
  });

  it('stops fetching when its last reader leaves', async () => {
    await put(bytes);
    const store = await openCache();
    let source: Readable | undefined;
    faults.open = async () => {
      source = Readable.from(
        (async function* () {
          yield bytes.subarray(0, 1000);
          yield bytes.subarray(1000, 2000);
          await new Promise(() => undefined);
        })(),
      );
      return source;
    };
    let taken = 0;
    const other = store.readTo(sha256, whole, async (piece) => {
      taken += piece.length;
      await expect.poll(() => isGone).toBe(true);
      expect(source?.destroyed).toBe(false);
      throw new Error('no more here either');
    });
    let isGone = false;

    await expect(store.readTo(sha256, whole, () => Promise.reject(new Error('no more')))).rejects.toThrow(
      'no more',
    );
    isGone = true;
    await expect(other).rejects.toThrow('no more here either');

    expect(taken).toBe(1000);
    expect(source?.destroyed).toBe(true);
    faults = {};
    expect((await read(store)).equals(bytes)).toBe(true);
    expect(asked).toEqual(['whole', 'whole']);
  });

  it('stops where the reader does', async () => {
    await put(bytes);
    const store = await openCache();
    await read(store);
    await expect.poll(kept).toEqual([sha256]);

    const reading = store.readTo(sha256, whole, () => Promise.reject(new Error('no more')));

    await expect(reading).rejects.toThrow('no more');
    expect(await kept()).toEqual([sha256]);
  });

  it('forgets a copy, even one that is being made', async () => {
    await put(bytes);
    const store = await openCache();
    await read(store);
    await expect.poll(kept).toEqual([sha256]);
    await store.forget([sha256, 'f'.repeat(64)]);
    expect(await kept()).toEqual([]);

    let goOn: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    faults.open = async () =>
      Readable.from(
        (async function* () {
          yield bytes.subarray(0, 100);
          await waiting;
          yield bytes.subarray(100);
        })(),
      );
    const reading = read(store);
    await expect.poll(() => asked).toEqual(['whole', 'whole']);
    await store.forget([sha256]);
    goOn();

    expect((await reading).equals(bytes)).toBe(true);
    await expect.poll(() => readdir(join(near(), 'tmp'))).toEqual([]);
    expect(await kept()).toEqual([]);
  });

  it('takes nothing from its folder that is no copy', async () => {
    await mkdir(join(near(), 'tmp'), { recursive: true });
    await writeFile(join(near(), 'tmp', '7'), 'half');
    await put(bytes);

    const store = await openCache();

    expect(await readdir(join(near(), 'tmp'))).toEqual([]);
    expect((await read(store)).equals(bytes)).toBe(true);
  });
});
