import { mkdir, mkdtemp, readdir, readFile, rename, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../../../formats/digest.ts';
import { openDiskStore } from '../../../server/blobs/disk-store.ts';
import { describeBlobStore } from '../../contract/blob-store.ts';

describeBlobStore('DiskStore', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'gwt-blobs-'));
  return {
    store: await openDiskStore(dir),
    reopen: () => openDiskStore(dir),
    leftovers: () => readdir(join(dir, 'tmp')),
    close: () => rm(dir, { recursive: true, force: true }),
  };
});

describe('a folder of blobs', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gwt-blobs-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const bytes = Buffer.from('bytes');
  const { sha256 } = digestBytes(bytes);
  const file = () => join(dir, sha256.slice(0, 2), sha256);
  const oldFile = () => join(dir, sha256.slice(0, 2), sha256.slice(2, 4), sha256);
  async function put(): Promise<void> {
    const store = await openDiskStore(dir);
    const upload = await store.receive(Readable.from([bytes]), 100);
    await upload.commit();
  }

  it('has the layout ab/SHA-256', async () => {
    await put();

    expect(await readFile(file())).toEqual(bytes);
  });

  it('has what earlier versions and backups have in ab/cd/SHA-256', async () => {
    await put();
    await mkdir(dirname(oldFile()));
    await rename(file(), oldFile());

    const store = await openDiskStore(dir);
    expect(await buffer(await store.open(sha256))).toEqual(bytes);
    expect(store.readSmall(sha256, bytes.length)).toEqual(bytes);
    const pieces: Buffer[] = [];
    await store.readTo(sha256, { start: 1, end: 3 }, async (piece) => void pieces.push(Buffer.from(piece)));
    expect(Buffer.concat(pieces)).toEqual(bytes.subarray(1, 4));
    expect(await store.has(sha256)).toBe(true);
    await put();
    const listed = [];
    for await (const blob of store.list()) listed.push(blob);
    expect(listed).toMatchObject([{ sha256, sizeBytes: bytes.length }]);
    await store.remove(sha256);
    expect(await store.has(sha256)).toBe(false);
  });

  it('repairs a damaged blob when its bytes are pushed again', async () => {
    await put();
    await truncate(file(), 2);

    await put();

    const store = await openDiskStore(dir);
    expect(await buffer(await store.open(sha256))).toEqual(bytes);
  });

  it('fails its ping when the folder is gone', async () => {
    const store = await openDiskStore(dir);
    await rm(dir, { recursive: true });

    await expect(store.ping()).rejects.toThrow();
  });
});
