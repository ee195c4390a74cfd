import { readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { operator } from '../../../server/audit/audit.ts';
import type { BlobStore, Upload } from '../../../server/blobs/blob-store.ts';
import { openDiskStore } from '../../../server/blobs/disk-store.ts';
import { createSqlCatalog } from '../../../server/catalog/sql/catalog.ts';
import { createSqlPendingBlobs } from '../../../server/catalog/sql/pending-blobs.ts';
import { type Connection, openDatabase } from '../../../server/database/connection.ts';
import { createBlobFlusher, type FlushLimits } from '../../../server/feed/flush-blobs.ts';
import { createLogger } from '../../../server/log.ts';
import { makePackage } from '../../kit/new-package.ts';
import { makeTempDir } from '../../kit/test-server.ts';

const silent = createLogger('silent');

describe('small blobs, until their files are durable', () => {
  let dir: string;
  let db: Connection;
  let blobs: BlobStore;
  beforeEach(async () => {
    dir = await makeTempDir();
    await open();
  });
  afterEach(async () => {
    db.close();
    await rm(dir, { recursive: true, force: true });
  });

  async function open(): Promise<void> {
    db = openDatabase(join(dir, 'catalog.db'));
    blobs = await openDiskStore(join(dir, 'blobs'));
  }
  const pendingBlobs = () => createSqlPendingBlobs(db);
  const settlingWith = (limits: Partial<FlushLimits> = {}, store = blobs) =>
    createBlobFlusher({ blobs: store, pendingBlobs: pendingBlobs(), log: silent }, limits);
  const receive = (bytes: Buffer) => blobs.receive(Readable.from([bytes]), 10_000_000);
  const readBack = async (sha256: string) => buffer(await blobs.open(sha256));

  /** As a push does: the bytes in their place, then the row. */
  async function publish(
    version: string,
    blobFlusher = settlingWith(),
    bytes = Buffer.from(`bytes of ${version}`),
  ) {
    const upload = await receive(bytes);
    const pendingBytes = await blobFlusher.commit(upload);
    const pkg = { ...makePackage({ id: 'x', version }), ...upload.digest, pendingBytes };
    expect(await createSqlCatalog(db, () => new Date(0)).add(pkg, operator)).toBe('added');
    return { bytes, sha256: upload.digest.sha256, pendingBytes };
  }

  async function fileOf(sha256: string): Promise<string> {
    const entries = await readdir(join(dir, 'blobs'), { recursive: true, withFileTypes: true });
    const entry = entries.find(({ name }) => name === sha256);
    return join(entry?.parentPath ?? '', sha256);
  }

  it('are readable at once, and kept with their row until they are flushed', async () => {
    const blobFlusher = settlingWith();
    const { bytes, sha256 } = await publish('1.0.0', blobFlusher);

    expect(await readBack(sha256)).toEqual(bytes);
    expect(await pendingBlobs().list(9)).toEqual([{ number: 1, sha256, sizeBytes: bytes.length }]);
    expect(await pendingBlobs().bytesOf({ number: 1, sha256, sizeBytes: 0 })).toEqual(bytes);

    await blobFlusher.flush();

    expect(await pendingBlobs().list(9)).toEqual([]);
    expect(await readBack(sha256)).toEqual(bytes);
  });

  it.each([
    ['is missing', (file: string) => rm(file)],
    ['is empty', (file: string) => truncate(file, 0)],
    ['holds zeros', (file: string) => writeFile(file, Buffer.alloc('bytes of 1.0.0'.length))],
  ])('are rewritten by the next start when after a power cut the file %s', async (_what, tear) => {
    const { bytes, sha256 } = await publish('1.0.0');
    await tear(await fileOf(sha256));
    db.close();

    await open();
    const blobFlusher = settlingWith();
    await blobFlusher.recover();

    expect(await readBack(sha256)).toEqual(bytes);
    await blobFlusher.flush();
    expect(await pendingBlobs().list(9)).toEqual([]);
  });

  it('stay in the database when the disk fails, and are rewritten before the next fsync', async () => {
    const calls: string[] = [];
    let fails = true;
    const failing: BlobStore = {
      ...blobs,
      async flush(names) {
        calls.push('settle');
        if (fails) throw new Error('EIO');
        await blobs.flush(names);
      },
      async repair(sha256, bytes) {
        calls.push('heal');
        await blobs.repair(sha256, bytes);
      },
    };
    const blobFlusher = settlingWith({}, failing);
    await publish('1.0.0', blobFlusher);

    await expect(blobFlusher.flush()).rejects.toThrow('EIO');
    expect(await pendingBlobs().list(9)).toHaveLength(1);

    fails = false;
    await blobFlusher.flush();
    expect(calls).toEqual(['settle', 'heal', 'settle']);
    expect(await pendingBlobs().list(9)).toEqual([]);
  });

  it('are all flushed, however many they are', async () => {
    const blobFlusher = settlingWith();
    for (let n = 0; n < 250; n++) await publish(`1.0.${n}`, blobFlusher);

    await blobFlusher.flush();

    expect(await pendingBlobs().list(999)).toEqual([]);
  });

  it('are not forgotten when they come during a flush', async () => {
    const blobFlusher = settlingWith();
    await publish('1.0.0', blobFlusher);

    const first = blobFlusher.flush();
    const late = await publish('2.0.0', blobFlusher);
    await first;

    const waiting = await pendingBlobs().list(9);
    expect(waiting.map(({ sha256 }) => sha256)).toEqual([late.sha256]);
  });

  it('are durable files from the start when too many bytes are pending', async () => {
    const blobFlusher = settlingWith({ maxBytes: 20 });
    const [first, second] = [await publish('1.0.0', blobFlusher), await publish('1.0.1', blobFlusher)];

    expect(first.pendingBytes).toEqual(first.bytes);
    expect(second.pendingBytes).toBeUndefined();
    expect(await readBack(second.sha256)).toEqual(second.bytes);
  });

  it('are flushed after a while, and as soon as many bytes are pending', async () => {
    await publish('1.0.0', settlingWith({ afterMs: 1 }));
    await expect.poll(() => pendingBlobs().list(9)).toEqual([]);

    const settling = settlingWith({ atBytes: 20 });
    await publish('1.0.1', settling);
    await publish('1.0.2', settling);
    await expect.poll(async () => (await pendingBlobs().list(9)).length).toBeLessThan(2);
  });

  it('exclude large ones', async () => {
    const { pendingBytes } = await publish('1.0.0', settlingWith(), Buffer.alloc(300 * 1024, 'large'));

    expect(pendingBytes).toBeUndefined();
    expect(await pendingBlobs().list(9)).toEqual([]);
  });
});

describe('an upload whose place is taken', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await makeTempDir();
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('keeps the same bytes, and replaces others of the same size', async () => {
    const blobs = await openDiskStore(dir);
    const upload = (): Promise<Upload> => blobs.receive(Readable.from([Buffer.from('bytes')]), 100);
    const { sha256 } = (await upload()).digest;
    for (const left of ['bytes', 'zeros', 'other']) {
      const one = await upload();
      await one.commitPending();
      await one.discard();
      const [entry] = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((found) =>
        found.isFile(),
      );
      expect(entry?.name).toBe(sha256);
      await writeFile(join(entry?.parentPath ?? '', sha256), left);

      const again = await upload();
      await (left === 'other' ? again.commit() : again.commitPending());
      await again.discard();

      expect(await buffer(await blobs.open(sha256))).toEqual(Buffer.from('bytes'));
      expect(await readdir(join(dir, 'tmp'))).toEqual([]);
    }
  });
});
