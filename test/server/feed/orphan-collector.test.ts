import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
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
    bucket: { listManifests: async () => [], between: (work) => work() },
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
  await createSqlPayloads(db).add(
    { tool: 'delve', version: '1.0.0', file: 'dlv.exe', sha256, sizeBytes: 1, created: now() },
    operator,
  );
  expect(isNamed(sha256)).toBe(false);

  clock += 8 * day;
  await orphans.add([sha256]);
  await openCollector().collect();

  expect(await stored()).toEqual([sha256]);
});
