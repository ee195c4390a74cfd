import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operator } from '../../../server/audit/audit.ts';
import { openDiskStore } from '../../../server/blobs/disk-store.ts';
import { createSqlCatalog } from '../../../server/catalog/sql/catalog.ts';
import { openDatabase } from '../../../server/database/connection.ts';
import { makePackage } from '../../kit/new-package.ts';
import { hasProgram, isRoot, mustRun, run } from '../../kit/programs.ts';

const mayMount = process.platform === 'linux' && isRoot() && hasProgram('mount');

describe.skipIf(!mayMount)('a full disk (needs root and mount)', () => {
  let dir: string;
  let isMounted = false;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gwt-full-'));
    // A container may be root without the right to mount.
    isMounted = (await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir])).code === 0;
  });
  afterAll(async () => {
    if (isMounted) await mustRun('umount', [dir]);
    await rm(dir, { recursive: true, force: true });
  });

  it('is reported by the blob store, which leaves nothing of the upload', async (context) => {
    if (!isMounted) context.skip();
    const store = await openDiskStore(join(dir, 'blobs'));
    const source = Readable.from(Array.from({ length: 32 }, () => Buffer.alloc(65_536, 'x')));

    await expect(store.receive(source, 10_000_000)).rejects.toMatchObject({
      code: 'STORAGE_FULL',
      status: 507,
    });

    expect(await readdir(join(dir, 'blobs', 'tmp'))).toEqual([]);
    const small = await store.receive(Readable.from([Buffer.from('fits')]), 100);
    await small.commit();
    expect(await store.has(small.digest.sha256)).toBe(true);
  });

  it('is reported by the catalog, which keeps everything confirmed', async (context) => {
    if (!isMounted) context.skip();
    const file = join(dir, 'catalog.db');
    const db = openDatabase(file);
    const catalog = createSqlCatalog(db, () => new Date(0));
    let answered = 0;
    const fill = async () => {
      for (; answered < 10_000; answered += 1) {
        const version = `1.${answered}.0`;
        await catalog.add(makePackage({ id: 'x', version, description: 'long '.repeat(800) }), operator);
      }
    };

    await expect(fill()).rejects.toMatchObject({ code: 'STORAGE_FULL' });

    expect(answered).toBeGreaterThan(0);
    expect(await catalog.size()).toBe(answered);
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
    db.close();
  });
});
