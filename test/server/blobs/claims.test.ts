import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import Database from 'better-sqlite3';
import fc, { type Scheduler } from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../../../formats/digest.ts';
import { operator } from '../../../server/audit/audit.ts';
import type { BlobStore } from '../../../server/blobs/blob-store.ts';
import { createClaimedStore } from '../../../server/blobs/claimed-store.ts';
import { openDiskStore } from '../../../server/blobs/disk-store.ts';
import { createSqlBlobClaims } from '../../../server/catalog/sql/blob-claims.ts';
import { createSqlOrphanQueue } from '../../../server/catalog/sql/orphan-queue.ts';
import { createSqlPayloads } from '../../../server/catalog/sql/payloads.ts';
import { createSharedPurgeQueue, removedBlobs } from '../../../server/catalog/sql/shared-purge-queue.ts';
import { type Connection, createConnection, openDatabase } from '../../../server/database/connection.ts';
import { createOrphanCollector } from '../../../server/feed/orphan-collector.ts';
import { createLogger } from '../../../server/log.ts';

const log = createLogger('silent');
const bytes = Buffer.from('the same bytes');
const { sha256, sizeBytes } = digestBytes(bytes);
const minute = 60_000;
const day = 24 * 60 * minute;

let dir: string;
let db: Connection;
let clock: number;
const now = () => new Date(clock);
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gwt-claims-'));
  db = openDatabase(join(dir, 'catalog.db'));
  clock = Date.UTC(2026, 10, 30);
});
afterEach(async () => {
  db.close();
  await rm(dir, { recursive: true, force: true });
});

const count = (table: string): number => Number(db.prepare(`SELECT count(*) FROM ${table}`).pluck().get());

/** One of the servers that share the database and the store. */
async function openServer(store: BlobStore, pause?: () => Promise<unknown>) {
  const blobs = createClaimedStore(store, createSqlBlobClaims(db, now, pause), log);
  const payloads = createSqlPayloads(db);
  const purgeQueue = createSharedPurgeQueue(db, now);
  async function sweep(): Promise<void> {
    for (const name of await purgeQueue.list())
      await purgeQueue.removeUnnamed(name, (until) => store.remove(name, until));
  }
  const orphans = createSqlOrphanQueue(db, now);
  const collector = createOrphanCollector({
    blobs: store,
    orphans: {
      ...orphans,
      // With others that have a name, or it would take this for the store of another database.
      async names() {
        const isNamed = await orphans.names();
        return (name) => name !== sha256 || isNamed(name);
      },
    },
    purging: { sweep: async () => sweep().then(() => true) },
    now,
    log,
  });
  return {
    blobs,
    purgeQueue,
    /** As the route for payloads does it. */
    async push(version: string): Promise<string> {
      const upload = await blobs.receive(Readable.from([bytes]), 1000);
      try {
        await upload.commit();
        const { claim } = upload;
        const payload = { tool: 'tool', version, file: 'tool.exe', sha256, sizeBytes, created: now() };
        return await payloads.add({ ...payload, claim }, operator);
      } finally {
        await upload.discard();
      }
    },
    /** What a purge does in its transaction. */
    purge: (version: string) =>
      db.transact(({ prepare }) => {
        prepare('DELETE FROM payloads WHERE version = ?').run(version);
        prepare('INSERT INTO purge_queue (sha256) VALUES (?) ON CONFLICT DO NOTHING').run(sha256);
      }),
    /** The row goes and nobody queues the bytes: a checkpoint that another one replaces, or a push that was killed. */
    drop: (version: string) =>
      db.transact(({ prepare }) => prepare('DELETE FROM payloads WHERE version = ?').run(version)),
    /** So long that everything ends which has a time. */
    async wait(): Promise<void> {
      clock += 8 * day;
    },
    sweep,
    async collect(): Promise<void> {
      await collector.collect();
    },
  };
}

describe('servers that share a store', () => {
  it('give an upload a claim, which its row uses up', async () => {
    const { blobs, push } = await openServer(await openDiskStore(join(dir, 'blobs')));

    const upload = await blobs.receive(Readable.from([bytes]), 1000);
    expect(upload.claim).toBeUndefined();
    await upload.commit();
    expect(upload.claim).toBeTypeOf('string');
    expect(count('blob_claims')).toBe(1);
    await upload.discard();
    await expect.poll(() => count('blob_claims')).toBe(0);

    await push('1.0.0');
    expect(count('blob_claims')).toBe(0);
  });

  it('remove no bytes that another one has claimed, but a claim ends after a week, and its upload fails then', async () => {
    const store = await openDiskStore(join(dir, 'blobs'));
    const [one, other] = [await openServer(store), await openServer(await openDiskStore(join(dir, 'blobs')))];
    const upload = await one.blobs.receive(Readable.from([bytes]), 1000);
    await upload.commit();
    const { claim } = upload;
    await other.purge('0.9.0');

    await other.sweep();
    expect(await store.has(sha256)).toBe(true);
    clock += 8 * day;
    await other.sweep();
    expect(await store.has(sha256)).toBe(false);

    const payload = { tool: 'tool', version: '1.0.0', file: 'tool.exe', sha256, sizeBytes, created: now() };
    const adding = createSqlPayloads(db).add({ ...payload, claim }, operator);
    await expect(adding).rejects.toMatchObject({ code: 'UPLOAD_COLLECTED' });
    expect(count('payloads')).toBe(0);
  });

  it('know what was removed, until it is stored again', async () => {
    const server = await openServer(await openDiskStore(join(dir, 'blobs')));
    await server.push('1.0.0');
    await server.purge('1.0.0');

    await server.sweep();
    expect(removedBlobs(db)).toEqual([sha256]);
    expect(count('purge_queue')).toBe(0);

    await server.push('1.0.1');
    expect(removedBlobs(db)).toEqual([]);
  });

  it('let a push wait for a removal, and refuse it when the remover has died', async () => {
    const store = await openDiskStore(join(dir, 'blobs'));
    let goOn: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const slow = await openServer({ ...store, remove: (name) => waiting.then(() => store.remove(name)) });
    let sweeping: Promise<void> = Promise.resolve();
    const other = await openServer(store, () => {
      goOn();
      return sweeping;
    });
    await other.push('1.0.0');
    await slow.purge('1.0.0');

    sweeping = slow.sweep();
    expect(await other.push('1.0.1')).toBe('added');
    expect(await store.has(sha256)).toBe(true);

    await slow.purge('1.0.1');
    const dying = await openServer({ ...store, remove: () => Promise.reject(new Error('killed')) });
    await expect(dying.sweep()).rejects.toThrow('killed');
    await expect(other.push('1.0.2')).rejects.toMatchObject({ code: 'BLOB_BEING_REMOVED' });
    await other.sweep();
    expect(await store.has(sha256)).toBe(true);
    clock += 21 * minute;
    await other.sweep();
    expect(await store.has(sha256)).toBe(false);
    expect(await other.push('1.0.2')).toBe('added');
  });

  it('end no removal that another one has begun again', async () => {
    const store = await openDiskStore(join(dir, 'blobs'));
    const server = await openServer(store);
    await server.push('1.0.0');
    await server.purge('1.0.0');
    const stalled = await openServer({
      ...store,
      async remove(name) {
        const isRemoved = await store.remove(name);
        clock += 21 * minute;
        await db.transact(({ prepare }) =>
          prepare('UPDATE blob_removals SET at = ?, is_done = 0').run(clock),
        );
        return isRemoved;
      },
    });

    await stalled.sweep();

    expect(db.prepare('SELECT is_done FROM blob_removals').pluck().all()).toEqual([0]);
  });
});

type Step = {
  readonly server: 0 | 1;
  readonly does: 'push' | 'drop' | 'purge' | 'sweep' | 'collect' | 'wait';
  readonly version: string;
};
const steps = fc.array(
  fc.record({
    server: fc.constantFrom(0, 1),
    does: fc.constantFrom('push', 'push', 'purge', 'sweep', 'wait'),
    version: fc.constantFrom('1.0.0', '1.0.1', '1.0.2'),
  }) as fc.Arbitrary<Step>,
  { minLength: 2, maxLength: 12 },
);

/** Each call begins, and ends, when the scheduler lets it. */
function scheduled<Args extends unknown[], Result>(
  scheduler: Scheduler,
  call: (...args: Args) => Promise<Result>,
): (...args: Args) => Promise<Result> {
  return async (...args) => {
    await scheduler.schedule(Promise.resolve());
    const result = await call(...args);
    await scheduler.schedule(Promise.resolve());
    return result;
  };
}

const others = ['a'.repeat(64), 'b'.repeat(64)];

/** Objects as a shared store has them, without the knowledge of one process about its uploads. */
function plainStore(disk: BlobStore, objects: Set<string>, scheduler: Scheduler): BlobStore {
  const put = scheduled(scheduler, async (name: string) => void objects.add(name));
  return {
    ...disk,
    async *list() {
      await scheduler.schedule(Promise.resolve());
      for (const name of [...objects, ...others]) yield { sha256: name, sizeBytes: 1, written: now() };
    },
    // Without a disk or a stream: waiting for them would decide the order.
    async receive() {
      const commit = async () => {
        await put(sha256);
        return undefined;
      };
      const discard = async () => undefined;
      return { digest: digestBytes(bytes), content: bytes, commit, commitPending: commit, discard };
    },
    // As the store in S3: a request that comes too late has no effect.
    async remove(name) {
      const until = clock + minute;
      await scheduler.schedule(Promise.resolve());
      if (clock > until) throw new Error('too late');
      objects.delete(name);
      await scheduler.schedule(Promise.resolve());
      return true;
    },
  };
}

describe('in whatever order two servers work', () => {
  it('every row that was confirmed has its bytes', { timeout: 600_000 }, async () => {
    const disk = await openDiskStore(join(dir, 'blobs'));
    db.close();
    db = createConnection(new Database(join(dir, 'catalog.db')));
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), steps, async (scheduler, work) => {
        for (const table of ['payloads', 'blob_claims', 'blob_removals', 'blob_orphans', 'purge_queue'])
          db.exec(`DELETE FROM ${table}`);
        const objects = new Set<string>();
        const pause = scheduled(scheduler, async () => undefined);
        const store = plainStore(disk, objects, scheduler);
        const servers = [await openServer(store, pause), await openServer(store, pause)];
        const isComplete = () => count('payloads') === 0 || objects.has(sha256);
        const missing: string[] = [];

        const all = work.map(async ({ server, does, version }, at) => {
          await scheduler.schedule(Promise.resolve(), `${at} ${does} ${version}`);
          // A push that is refused was told so.
          await servers[server]?.[does](version).catch(() => undefined);
          if (!isComplete()) missing.push(`after ${at} ${does} ${version}`);
        });
        await scheduler.waitFor(Promise.all(all));

        expect(missing).toEqual([]);
        expect(isComplete()).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
