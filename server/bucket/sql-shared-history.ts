import { useClaim } from '../catalog/sql/blob-claims.ts';
import { addGeneration, isNewestGeneration, newestGeneration } from '../catalog/sql/bucket-generations.ts';
import type { Connection } from '../database/connection.ts';
import type { Prepare } from '../database/statements.ts';
import type { Refs } from './git-bundle.ts';
import { beginning, type Mark, type SharedHistory, type Steps, type StoredPack } from './shared-history.ts';
import { recordMoves } from './sql-events.ts';

/** A repository that is further behind begins with a checkpoint, if there is one: each pack costs a process. */
const maxPacks = 20;

/** The bucket of several servers, in the database that they share. */
export function createSqlSharedHistory({ prepare, transact }: Connection, now: () => Date): SharedHistory {
  return {
    newest: async () => newestGeneration(prepare),
    // In one turn of the event loop, so that packs and refs are of the same moment.
    async since(mark) {
      if (!isPart(prepare, mark)) return undefined;
      return {
        newest: newestGeneration(prepare),
        ...packsAfter(prepare, mark.generation),
        refs: refsAfter(prepare, mark.generation),
      };
    },
    publish: (seen, { moves, pack, by, reason }) =>
      transact(({ record }) => {
        if (!isNewestGeneration(prepare, seen)) return undefined;
        const next = addGeneration(prepare, pack);
        for (const { ref, to } of moves) prepare(upsertRef).run(ref, to, next.generation);
        recordMoves(record, moves, by, now(), reason);
        return next;
      }),
    begin: (refs, pack) =>
      transact(() => {
        forgetHistory(prepare);
        const first = addGeneration(prepare, pack);
        for (const [ref, oid] of Object.entries(refs)) prepare(upsertRef).run(ref, oid, 1);
        return first;
      }),
    lastCheckpoint: async () => checkpointIn(prepare)?.generation ?? 0,
    keepCheckpoint: (generation, { sha256, sizeBytes, claim }) =>
      transact(() => {
        const last = checkpointIn(prepare)?.generation ?? 0;
        if (last >= generation) return;
        useClaim(prepare, claim);
        prepare('DELETE FROM bucket_checkpoints WHERE generation < ?').run(last);
        prepare('INSERT INTO bucket_checkpoints (generation, pack_sha256, size_bytes) VALUES (?, ?, ?)').run(
          ...[generation, sha256, sizeBytes],
        );
      }),
  };
}

/** A restored bucket is a repository; what the rows say is of the servers that it was copied from. For use within a transaction. */
export function forgetHistory(prepare: Prepare): void {
  for (const table of ['bucket_refs', 'bucket_checkpoints', 'bucket_pushes']) {
    prepare(`DELETE FROM ${table}`).run();
  }
}

const upsertRef = `INSERT INTO bucket_refs (ref, oid, generation) VALUES (?, ?, ?)
  ON CONFLICT DO UPDATE SET oid = excluded.oid, generation = excluded.generation`;

function isPart(prepare: Prepare, { generation, id }: Mark): boolean {
  if (generation === beginning.generation) return true;
  return (
    prepare('SELECT 1 FROM bucket_pushes WHERE generation = ? AND id = ?').get(generation, id) !== undefined
  );
}

type RawPack = { readonly generation: number; readonly sha256: string; readonly sizeBytes: number };
const columns = 'generation, pack_sha256 AS sha256, size_bytes AS sizeBytes';

function checkpointIn(prepare: Prepare): RawPack | undefined {
  const sql = `SELECT ${columns} FROM bucket_checkpoints ORDER BY generation DESC LIMIT 1`;
  return prepare(sql).get() as RawPack | undefined;
}

function packsAfter(prepare: Prepare, generation: number): Pick<Steps, 'packs' | 'instead'> {
  const sql = `SELECT ${columns} FROM bucket_pushes WHERE generation > ? AND pack_sha256 IS NOT NULL ORDER BY generation`;
  const raw = prepare(sql).all(generation) as RawPack[];
  const pushes = raw.map(storedPack);
  const checkpoint = checkpointIn(prepare);
  if (checkpoint === undefined || checkpoint.generation <= generation + maxPacks) return { packs: pushes };
  const later = raw.filter((push) => push.generation > checkpoint.generation);
  return { packs: [checkpoint, ...later].map(storedPack), instead: pushes };
}

const storedPack = ({ sha256, sizeBytes }: RawPack): StoredPack => ({ sha256, sizeBytes });

function refsAfter(prepare: Prepare, generation: number): Refs {
  const rows = prepare('SELECT ref, oid FROM bucket_refs WHERE generation > ? ORDER BY ref')
    .raw()
    .all(generation);
  return Object.fromEntries(rows as [ref: string, oid: string][]);
}
