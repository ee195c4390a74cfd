import type { Connection } from '../../database/connection.ts';
import { copyDatabase, openCopy } from '../../database/copies.ts';
import { createSqlAudit } from '../../database/sql-audit.ts';
import type { Payload } from '../payloads.ts';
import type { CatalogSnapshot, NamedBlob, SnapshotPackage } from '../snapshot.ts';
import { wrongLatest } from './latest.ts';
import { isPurged } from './purge.ts';
import { packageKey } from './rows.ts';

/**
 * Copies the database to `copy` and opens that. The caller closes the result and removes the copy.
 * @throws FeedError NO_FEED, CATALOG_NEWER, CATALOG_DAMAGED
 */
export async function takeSnapshot(database: string, copy: string): Promise<CatalogSnapshot> {
  await copyDatabase(database, copy);
  return openSnapshot(copy);
}

/** Opens a database that nobody else uses. @throws FeedError CATALOG_NEWER, CATALOG_DAMAGED */
export function openSnapshot(file: string): CatalogSnapshot {
  return openCopy(file, (db) => createSnapshot(db, file));
}

function createSnapshot(db: Connection, file: string): CatalogSnapshot {
  const { prepare } = db;
  const count = (table: string): number =>
    Number(prepare(`SELECT count(*) FROM ${table}`).pluck().get() ?? 0);
  const hasTable = (name: string): boolean =>
    prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(name) !== undefined;
  const blobTables = ['packages', ...(hasTable('held_packages') ? ['held_packages'] : []), 'payloads'];
  const named = prepare(
    `SELECT ${blobTables.map((table) => `EXISTS (SELECT 1 FROM ${table} WHERE sha256 = ?)`).join(' OR ')}`,
  );
  const knowsPurges = hasTable('purged');
  const payload = prepare('SELECT * FROM payloads WHERE tool = ? AND version = ? AND file = ?');

  return {
    file,
    audit: hasTable('audit') ? createSqlAudit(db, () => new Date()) : undefined,
    counts: async () => ({ packages: count('packages'), payloads: count('payloads'), keys: count('keys') }),
    async *packages() {
      for (const raw of prepare(selectPackages).iterate()) yield toPackage(raw as RawPackage);
    },
    async *payloads() {
      const sql = 'SELECT * FROM payloads ORDER BY tool, version, file';
      for (const raw of prepare(sql).iterate()) yield toPayload(raw as RawPayload);
    },
    async *blobs() {
      yield* grouped(prepare(selectBlobs(blobTables)).iterate() as IterableIterator<RawBlob>);
    },
    namesBlob: async (sha256) => named.pluck().get(...blobTables.map(() => sha256)) === 1,
    async isPurged(id, version) {
      const key = packageKey(id, version);
      return knowsPurges && key !== undefined && isPurged(prepare, key);
    },
    async findPayload(tool, version, name) {
      const raw = payload.get(tool, version, name) as RawPayload | undefined;
      return raw && toPayload(raw);
    },
    async findDamage() {
      const broken = prepare('PRAGMA integrity_check(20)').pluck().all() as string[];
      const foreign = db.pragma('foreign_key_check') as { table: string; parent: string }[];
      return [
        ...broken.filter((line) => line !== 'ok'),
        ...foreign
          .slice(0, 20)
          .map(({ table, parent }) => `a row of ${table} names a row of ${parent} that is not there`),
      ];
    },
    findWrongLatest: async () => [...wrongLatest(prepare)],
    close: async () => db.close(),
  };
}

const selectPackages = `SELECT i.id, p.version, p.is_listed, p.published, p.sha256, p.sha512, p.size_bytes
  FROM packages p JOIN ids i USING (id_key) ORDER BY p.id_key, p.version_key`;
const selectBlobs = (tables: readonly string[]): string =>
  `${tables
    .map((table) =>
      table === 'payloads'
        ? "SELECT sha256, size_bytes, NULL, 'dl/' || tool || '/' || version || '/' || file FROM payloads"
        : `SELECT sha256, size_bytes, sha512, i.id || ' ' || version AS name FROM ${table} JOIN ids i USING (id_key)`,
    )
    .join(' UNION ALL ')} ORDER BY sha256`;

type RawPackage = {
  id: string;
  version: string;
  is_listed: number;
  published: number;
  sha256: string;
  sha512: string;
  size_bytes: number;
};
type RawPayload = Omit<Payload, 'sizeBytes' | 'created'> & { size_bytes: number; created: number };
type RawBlob = { sha256: string; size_bytes: number; sha512: string | null; name: string };

function toPackage({ is_listed, published, size_bytes, ...rest }: RawPackage): SnapshotPackage {
  return { ...rest, isListed: is_listed === 1, published: new Date(published), sizeBytes: size_bytes };
}

function toPayload({ size_bytes, created, ...rest }: RawPayload): Payload {
  return { ...rest, sizeBytes: size_bytes, created: new Date(created) };
}

function* grouped(rows: Iterable<RawBlob>): Generator<NamedBlob> {
  let current: { sha256: string; sizeBytes: number; sha512s: string[]; names: string[] } | undefined;
  for (const { sha256, size_bytes, sha512, name } of rows) {
    if (current?.sha256 !== sha256) {
      if (current !== undefined) yield current;
      current = { sha256, sizeBytes: size_bytes, sha512s: [], names: [] };
    }
    current.names.push(name);
    if (sha512 !== null && !current.sha512s.includes(sha512)) current.sha512s.push(sha512);
  }
  if (current !== undefined) yield current;
}
