import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { BlobStore } from '../../../server/blobs/blob-store.ts';
import { openDiskStore } from '../../../server/blobs/disk-store.ts';
import type { Catalog, NewPackage } from '../../../server/catalog/catalog.ts';
import type { HeldVersions } from '../../../server/catalog/held.ts';
import { createSqlCatalog } from '../../../server/catalog/sql/catalog.ts';
import { createSqlPendingBlobs } from '../../../server/catalog/sql/pending-blobs.ts';
import { openDatabase } from '../../../server/database/connection.ts';
import type { Approvals } from '../../../server/feed/approvals.ts';
import { type BlobFlusher, createBlobFlusher } from '../../../server/feed/flush-blobs.ts';
import { type Inspect, inspectHere } from '../../../server/feed/inspect.ts';
import { publish } from '../../../server/feed/publish.ts';
import type { Principal, Scope } from '../../../server/keys/api-keys.ts';
import { createLogger } from '../../../server/log.ts';

/** Catalog and blobs as the server has them, without its routes. */
export type Storage = {
  readonly catalog: Catalog & HeldVersions;
  readonly blobs: BlobStore;
  readonly blobFlusher: BlobFlusher;
  readonly approvals: Approvals;
  readonly inspect: Inspect;
  readonly now: () => Date;
  /** What the push route does with an upload. */
  push(bytes: Buffer, principal?: Principal): Promise<NewPackage>;
  close(): void;
};

export const publishedAt = new Date('2026-05-01T10:00:00Z');

export async function openStorage(dir: string): Promise<Storage> {
  const db = openDatabase(join(dir, 'catalog.db'));
  const now = () => publishedAt;
  const catalog = createSqlCatalog(db, now);
  const blobs = await openDiskStore(join(dir, 'blobs'));
  const blobFlusher = createBlobFlusher({
    blobs,
    pendingBlobs: createSqlPendingBlobs(db),
    log: createLogger('silent'),
  });
  await blobFlusher.recover();
  return {
    catalog,
    blobs,
    blobFlusher,
    approvals: [],
    inspect: inspectHere,
    now,
    async push(bytes, principal = holder('push')) {
      const upload = await blobs.receive(Readable.from([bytes]), 10_000_000);
      try {
        return await publish(
          { catalog, blobFlusher, inspect: inspectHere, approvals: [], now },
          upload,
          principal,
          '192.0.2.1',
        );
      } finally {
        await upload.discard();
      }
    },
    close: () => db.close(),
  };
}

export function holder(scope: Scope, ...ids: string[]): Principal {
  return { keyId: '1', name: 'test', scopes: [scope], ids };
}

/** A storage in a folder of its own that goes away with it. */
export async function openTemporaryStorage(): Promise<
  Storage & { readonly dir: string; remove(): Promise<void> }
> {
  const dir = await mkdtemp(join(tmpdir(), 'gwt-feed-'));
  const storage = await openStorage(dir);
  return {
    ...storage,
    dir,
    async remove() {
      storage.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
