import type { Prepare } from '../../database/statements.ts';

export type BlobName = {
  readonly table: string;
  readonly column: string;
  /** The table's integer key; undefined: it has none, and is short. */
  readonly key?: string;
};

/** Where rows name blobs. A blob that none of them names is nobody's. */
export const blobNames: readonly BlobName[] = [
  { table: 'packages', column: 'sha256', key: 'pk' },
  { table: 'held_packages', column: 'sha256', key: 'pk' },
  { table: 'payloads', column: 'sha256' },
  { table: 'bucket_pushes', column: 'pack_sha256', key: 'generation' },
  { table: 'bucket_checkpoints', column: 'pack_sha256', key: 'generation' },
];

const selectNamed = `SELECT ${blobNames
  .map(({ table, column }) => `EXISTS (SELECT 1 FROM ${table} WHERE ${column} = ?)`)
  .join(' OR ')}`;

export function isNamed(prepare: Prepare, sha256: string): boolean {
  return (
    prepare(selectNamed)
      .pluck()
      .get(...blobNames.map(() => sha256)) === 1
  );
}
