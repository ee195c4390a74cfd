import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { operator } from '../../../server/audit/audit.ts';
import type { BlobStore, StoredBlob } from '../../../server/blobs/blob-store.ts';
import { openDiskStore } from '../../../server/blobs/disk-store.ts';
import { createSqlBlobClaims } from '../../../server/catalog/sql/blob-claims.ts';
import { createSqlCatalog } from '../../../server/catalog/sql/catalog.ts';
import { createSqlOrphanQueue } from '../../../server/catalog/sql/orphan-queue.ts';
import { createSqlPayloads } from '../../../server/catalog/sql/payloads.ts';
import { createSqlPendingBlobs } from '../../../server/catalog/sql/pending-blobs.ts';
import { createSharedPurgeQueue } from '../../../server/catalog/sql/shared-purge-queue.ts';
import { type Connection, openDatabase } from '../../../server/database/connection.ts';
import { createBlobFlusher } from '../../../server/feed/flush-blobs.ts';
import { createOrphanCollector } from '../../../server/feed/orphan-collector.ts';
import { createPurging } from '../../../server/feed/purge.ts';
import { createLogger } from '../../../server/log.ts';
import { makePackage } from '../../kit/new-package.ts';

const log = createLogger('silent');
const day = 24 * 60 * 60_000;

let dir: string;
let db: Connection;
let blobs: BlobStore;
let clock: number;
const now = () => new Date(clock);
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gwt-orphans-'));
  db = openDatabase(join(dir, 'catalog.db'));
  blobs = await openDiskStore(join(dir, 'blobs'));
  clock = Date.now();
});
afterEach(async () => {
  db.close();
  await rm(dir, { recursive: true, force: true });
});

async function put(text: string): Promise<string> {
  const upload = await blobs.receive(Readable.from([Buffer.from(text)]), 1000);
  await upload.commit();
  await upload.discard();
  return upload.digest.sha256;
}

function openCollector() {
  const purging = createPurging({
    catalog: createSqlCatalog(db, now),
    blobs,
    purgeQueue: createSharedPurgeQueue(db, now),
    blobFlusher: createBlobFlusher({ blobs, pendingBlobs: createSqlPendingBlobs(db), log }),
    bucket: {
      listManifests: async () => [],
      between: (work) => work(),
      finishCommits: async () => undefined,
    },
    lockForRemoving: async () => () => undefined,
    log,
  });
  return createOrphanCollector({ blobs, orphans: createSqlOrphanQueue(db, now), purging, now, log });
}

async function stored(): Promise<string[]> {
  const found: StoredBlob[] = [];
  for await (const blob of blobs.list()) found.push(blob);
  return found.map(({ sha256 }) => sha256);
}

it('removes what no row has named for a week, and nothing else', async () => {
  const named = {
    package: await put('of a package'),
    payload: await put('of a payload'),
    pack: await put('a pack of the bucket'),
    checkpoint: await put('all of the bucket'),
  };
  const claimed = await put('of a push that has not ended');
  const orphan = await put('of a push that was killed');
  const catalog = createSqlCatalog(db, now);
  await catalog.add({ ...makePackage({ id: 'delve', version: '1.0.0' }), sha256: named.package }, operator);
  await createSqlPayloads(db).add(
    { tool: 'delve', version: '1.0.0', file: 'dlv.exe', sha256: named.payload, sizeBytes: 1, created: now() },
    operator,
  );
  db.prepare('INSERT INTO bucket_pushes VALUES (1, ?, ?, 1), (2, ?, NULL, 0)').run('a', named.pack, 'b');
  db.prepare('INSERT INTO bucket_checkpoints VALUES (2, ?, 1)').run(named.checkpoint);
  const collector = openCollector();

  await collector.collect();
  clock += 6 * day;
  await collector.collect();
  expect((await stored()).length).toBe(6);

  clock += 2 * day;
  await createSqlBlobClaims(db, now).claim(claimed);
  await collector.collect();
  expect(await stored()).toEqual([...Object.values(named), claimed].sort());
  expect(await stored()).not.toContain(orphan);

  clock += 8 * day;
  await collector.collect();
  expect(await stored()).toEqual(Object.values(named).sort());
  expect(db.prepare('SELECT count(*) FROM purge_queue').pluck().get()).toBe(0);

  clock += 31 * day;
  await collector.collect();
  expect(db.prepare('SELECT count(*) FROM blob_removals').pluck().get()).toBe(0);
  expect(db.prepare('SELECT count(*) FROM blob_claims').pluck().get()).toBe(0);
});

it('leaves a blob that somebody names while it looks', async () => {
  const sha256 = await put('as in the version that was withdrawn');
  const orphans = createSqlOrphanQueue(db, now);
  const isNamed = await orphans.names();
  await orphans.note({ fresh: [sha256], gone: [], due: [] });
  await createSqlPayloads(db).add(
    { tool: 'delve', version: '1.0.0', file: 'dlv.exe', sha256, sizeBytes: 1, created: now() },
    operator,
  );
  expect(isNamed(sha256)).toBe(false);

  clock += 8 * day;
  await orphans.note({ fresh: [], gone: [], due: [sha256] });
  await openCollector().collect();

  expect(await stored()).toEqual([sha256]);
});

/** A feed with some packages. */
async function fill(): Promise<readonly string[]> {
  const named = await Promise.all(['one', 'two', 'three'].map((text) => put(`the package ${text}`)));
  for (const [at, sha256] of named.entries())
    db.prepare('INSERT INTO bucket_pushes VALUES (?, ?, ?, 1)').run(at + 1, `push-${at}`, sha256);
  return named;
}

it('counts the week from the run that first found a blob without its name, not from its upload', async () => {
  await fill();
  const checkpoint = await put('all of the bucket');
  db.prepare('INSERT INTO bucket_checkpoints VALUES (3, ?, 1)').run(checkpoint);
  const collector = openCollector();
  await collector.collect();
  clock += 60 * day;
  await collector.collect();

  db.prepare('DELETE FROM bucket_checkpoints').run();
  clock += day;
  await collector.collect();
  clock += 7 * day;
  await openCollector().collect();
  expect(await stored()).toContain(checkpoint);

  clock += 1;
  await openCollector().collect();
  expect(await stored()).not.toContain(checkpoint);
  expect(db.prepare('SELECT count(*) FROM blob_orphans').pluck().get()).toBe(0);
});

it('counts anew once a blob had a name again', async () => {
  await fill();
  const sha256 = await put('a pack that comes back');
  const collector = openCollector();
  await collector.collect();
  const claims = createSqlBlobClaims(db, now);
  clock += 7 * day + 1;
  // A push between two runs, whose row is replaced before the next.
  await claims.release(await claims.claim(sha256));

  await collector.collect();
  expect(await stored()).toContain(sha256);

  db.prepare('INSERT INTO bucket_checkpoints VALUES (3, ?, 1)').run(sha256);
  await collector.collect();
  db.prepare('DELETE FROM bucket_checkpoints').run();
  clock += 8 * day;
  await collector.collect();
  expect(await stored()).toContain(sha256);
});

it('removes nothing with a database that names fewer than half of the blobs, and says so', async () => {
  const others = await Promise.all(['a', 'b', 'c', 'd'].map((text) => put(`of another feed: ${text}`)));
  const logged = vi.spyOn(log, 'error');
  try {
    const collector = openCollector();
    const expectAll = async (named: readonly string[]) => {
      for (let run = 0; run < 3; run += 1) {
        await collector.collect();
        clock += 8 * day;
      }
      expect(await stored()).toEqual([...others, ...named].sort());
      expect(logged).toHaveBeenLastCalledWith(
        { stored: others.length + named.length, named: named.length },
        expect.stringMatching(/check that DATABASE_URL and BLOB_STORE belong together/),
      );
      expect(db.prepare('SELECT count(*) FROM blob_orphans').pluck().get()).toBe(0);
    };

    await expectAll([]);
    await expectAll(await fill());
  } finally {
    logged.mockRestore();
  }
});
