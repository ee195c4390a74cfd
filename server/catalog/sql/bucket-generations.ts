import { randomUUID } from 'node:crypto';
import type { Prepare } from '../../database/statements.ts';
import type { BucketMark } from '../catalog.ts';
import { useClaim } from './blob-claims.ts';

type Pack = { readonly sha256: string; readonly sizeBytes: number; readonly claim?: string | undefined };

/** The newest generation of the bucket that several servers share (bucket/shared-history.ts). */
export function newestGeneration(prepare: Prepare): BucketMark {
  const sql = 'SELECT generation, id FROM bucket_pushes ORDER BY generation DESC LIMIT 1';
  return (prepare(sql).get() as BucketMark | undefined) ?? { generation: 0, id: '' };
}

export function isNewestGeneration(prepare: Prepare, { generation, id }: BucketMark): boolean {
  const newest = newestGeneration(prepare);
  return newest.generation === generation && newest.id === id;
}

/**
 * The next one. What another server decided before it has to be decided again, so that a purge adds one too. For use within a
 * transaction.
 */
export function addGeneration(prepare: Prepare, pack?: Pack): BucketMark {
  const next = { generation: newestGeneration(prepare).generation + 1, id: randomUUID() };
  useClaim(prepare, pack?.claim);
  prepare('INSERT INTO bucket_pushes (generation, id, pack_sha256, size_bytes) VALUES (?, ?, ?, ?)').run(
    ...[next.generation, next.id, pack?.sha256 ?? null, pack?.sizeBytes ?? 0],
  );
  return next;
}
