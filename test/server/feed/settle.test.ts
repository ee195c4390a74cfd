import { readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { operator } from '../../../server/audit/audit.ts';
import type { BlobDraft, BlobStore } from '../../../server/blobs/blob-store.ts';
import { openDiskStore } from '../../../server/blobs/disk-store.ts';
import { createSqlCatalog } from '../../../server/catalog/sql/catalog.ts';
import { createSqlFreshBlobs } from '../../../server/catalog/sql/fresh-blobs.ts';
import { type Connection, openDatabase } from '../../../server/database/connection.ts';
import { createSettling, type SettleLimits } from '../../../server/feed/settle.ts';
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
  const freshBlobs = () => createSqlFreshBlobs(db);
  const settlingWith = (limits: Partial<SettleLimits> = {}, store = blobs) =>
    createSettling({ blobs: store, freshBlobs: freshBlobs(), log: silent }, limits);
  const receive = (bytes: Buffer) => blobs.receive(Readable.from([bytes]), 10_000_000);
  const readBack = async (sha256: string) => buffer(await blobs.open(sha256));

  /** As a push does: the bytes in their place, then the row. */
  async function publish(
    version: string,
    settling = settlingWith(),
    bytes = Buffer.from(`bytes of ${version}`),
  ) {
    const draft = await receive(bytes);
    const fresh = await settling.place(draft);
    const pkg = { ...makePackage({ id: 'x', version }), ...draft.digest, fresh };
    expect(await createSqlCatalog(db, () => new Date(0)).add(pkg, operator)).toBe('added');
    return { bytes, sha256: draft.digest.sha256, fresh };
  }

  async function fileOf(sha256: string): Promise<string> {
    const entries = await readdir(join(dir, 'blobs'), { recursive: true, withFileTypes: true });
    const entry = entries.find(({ name }) => name === sha256);
    return join(entry?.parentPath ?? '', sha256);
  }

  it('are there for readers at once, and kept with their row until they are settled', async () => {
    const settling = settlingWith();
    const { bytes, sha256 } = await publish('1.0.0', settling);

    expect(await readBack(sha256)).toEqual(bytes);
    expect(freshBlobs().list(9)).toEqual([{ number: 1, sha256, sizeBytes: bytes.length }]);
    expect(freshBlobs().bytesOf({ number: 1, sha256, sizeBytes: 0 })).toEqual(bytes);

    await settling.settle();

    expect(freshBlobs().list(9)).toEqual([]);
    expect(await readBack(sha256)).toEqual(bytes);
  });

  it.each([
    ['is missing', (file: string) => rm(file)],
    ['is empty', (file: string) => truncate(file, 0)],
    ['holds zeros', (file: string) => writeFile(file, Buffer.alloc('bytes of 1.0.0'.length))],
  ])('are written anew by the next start when after a power cut the file %s', async (_what, tear) => {
    const { bytes, sha256 } = await publish('1.0.0');
    await tear(await fileOf(sha256));
    db.close();

    await open();
    const settling = settlingWith();
    await settling.recover();

    expect(await readBack(sha256)).toEqual(bytes);
    await settling.settle();
    expect(freshBlobs().list(9)).toEqual([]);
  });

  it('stay in the database when the disk fails, and are written anew before it is asked again', async () => {
    const calls: string[] = [];
    let fails = true;
    const failing: BlobStore = {
      ...blobs,
      async settle(names) {
        calls.push('settle');
        if (fails) throw new Error('EIO');
        await blobs.settle(names);
      },
      async heal(sha256, bytes) {
        calls.push('heal');
        await blobs.heal(sha256, bytes);
      },
    };
    const settling = settlingWith({}, failing);
    await publish('1.0.0', settling);

    await expect(settling.settle()).rejects.toThrow('EIO');
    expect(freshBlobs().list(9)).toHaveLength(1);

    fails = false;
    await settling.settle();
    expect(calls).toEqual(['settle', 'heal', 'settle']);
    expect(freshBlobs().list(9)).toEqual([]);
  });

  it('are settled all, however many they are', async () => {
    const settling = settlingWith();
    for (let n = 0; n < 250; n++) await publish(`1.0.${n}`, settling);

    await settling.settle();

    expect(freshBlobs().list(999)).toEqual([]);
  });

  it('are not forgotten when they come while others are settled', async () => {
    const settling = settlingWith();
    await publish('1.0.0', settling);

    const first = settling.settle();
    const late = await publish('2.0.0', settling);
    await first;

    const waiting = freshBlobs().list(9);
    expect(waiting.map(({ sha256 }) => sha256)).toEqual([late.sha256]);
  });

  it('are durable files from the start when too many bytes wait', async () => {
    const settling = settlingWith({ maxBytes: 20 });
    const [first, second] = [await publish('1.0.0', settling), await publish('1.0.1', settling)];

    expect(first.fresh).toEqual(first.bytes);
    expect(second.fresh).toBeUndefined();
    expect(await readBack(second.sha256)).toEqual(second.bytes);
  });

  it('are settled by themselves after a while, and as soon as many bytes wait', async () => {
    await publish('1.0.0', settlingWith({ afterMs: 1 }));
    await expect.poll(() => freshBlobs().list(9)).toEqual([]);

    const settling = settlingWith({ atBytes: 20 });
    await publish('1.0.1', settling);
    await publish('1.0.2', settling);
    await expect.poll(() => freshBlobs().list(9).length).toBeLessThan(2);
  });

  it('are no matter of large ones', async () => {
    const { fresh } = await publish('1.0.0', settlingWith(), Buffer.alloc(300 * 1024, 'large'));

    expect(fresh).toBeUndefined();
    expect(freshBlobs().list(9)).toEqual([]);
  });
});

describe('a draft that is placed where something lies', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await makeTempDir();
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('keeps the same bytes, and replaces others of the same size', async () => {
    const blobs = await openDiskStore(dir);
    const draft = (): Promise<BlobDraft> => blobs.receive(Readable.from([Buffer.from('bytes')]), 100);
    const { sha256 } = (await draft()).digest;
    for (const left of ['bytes', 'zeros', 'other']) {
      const one = await draft();
      await one.place();
      await one.discard();
      const [entry] = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((found) =>
        found.isFile(),
      );
      expect(entry?.name).toBe(sha256);
      await writeFile(join(entry?.parentPath ?? '', sha256), left);

      const again = await draft();
      await (left === 'other' ? again.commit() : again.place());
      await again.discard();

      expect(await buffer(await blobs.open(sha256))).toEqual(Buffer.from('bytes'));
      expect(await readdir(join(dir, 'tmp'))).toEqual([]);
    }
  });
});
