import type { Prepare, SqlValue } from '../../database/statements.ts';
import type { NewPackage } from '../catalog.ts';
import { useClaim } from './blob-claims.ts';
import { keepPendingBlob } from './pending-blobs.ts';
import { nextPk } from './primary-keys.ts';
import { isPurged, isRollingOut, queueRemoval } from './purge.ts';
import { type PackageKey, toColumns } from './rows.ts';

type NewVersion = ReturnType<typeof toColumns> & {
  readonly key: PackageKey;
  readonly pk: number;
  /** 1 when no version of this id came before. */
  readonly newIds: number;
};

/**
 * Reserves the place of a version whose number nobody has, and keeps its bytes; in the transaction that inserts its row.
 * @throws FeedError UPLOAD_COLLECTED
 */
export function placeNewVersion(prepare: Prepare, pkg: NewPackage): NewVersion | 'exists' | 'purged' {
  const columns = toColumns(pkg);
  const key = { idKey: pkg.id.toLowerCase(), versionKey: String(columns.packages.version_key) };
  if (pkOf(prepare, 'packages', key) !== undefined || pkOf(prepare, 'held_packages', key) !== undefined) {
    return 'exists';
  }
  // Whoever approved it saw other bytes.
  if (isRollingOut(prepare, key)) return 'exists';
  if (isPurged(prepare, key)) {
    queueRemoval(prepare, pkg.sha256);
    return 'purged';
  }
  const { changes: newIds } = prepare(
    'INSERT INTO ids (id_key, id) VALUES (?, ?) ON CONFLICT DO NOTHING',
  ).run(key.idKey, pkg.id);
  useClaim(prepare, pkg.claim);
  if (pkg.pendingBytes !== undefined) keepPendingBlob(prepare, pkg.sha256, pkg.pendingBytes);
  return { key, pk: nextPk(prepare, key.idKey), newIds, ...columns };
}

export function pkOf(
  prepare: Prepare,
  table: 'packages' | 'held_packages',
  { idKey, versionKey }: PackageKey,
): number | undefined {
  const sql = `SELECT pk FROM ${table} WHERE id_key = ? AND version_key = ?`;
  return (prepare(sql).get(idKey, versionKey) as { pk: number } | undefined)?.pk;
}

export function insertInto(
  prepare: Prepare,
  table: string,
  columns: Readonly<Record<string, SqlValue>>,
): number {
  const names = Object.keys(columns);
  const marks = names.map(() => '?').join(', ');
  const sql = `INSERT INTO ${table} (${names.join(', ')}) VALUES (${marks})`;
  return Number(prepare(sql).run(...Object.values(columns)).lastInsertRowid);
}
