import type { Connection } from '../../database/connection.ts';
import { createDeferredWrite } from '../../database/deferred-write.ts';
import type { SqlRevisions } from './revisions.ts';
import { packageKey } from './rows.ts';

const countVersion = ['packages', 'held_packages'].map(
  (table) => `UPDATE ${table} SET downloads = downloads + ? WHERE id_key = ? AND version_key = ?`,
);
const countId = 'UPDATE ids SET downloads = downloads + ? WHERE id_key = ?';

/** Counts downloads in memory and writes them in batches: one transaction for those of some seconds. */
export function createDownloadCounts({ prepare }: Connection, revisions: SqlRevisions) {
  /** By id and version as they were written. */
  const later = createDeferredWrite<Counted>(async (waiting) => {
    const counts = [...waiting.values()].flatMap(({ id, version, count }) => {
      const key = packageKey(id, version);
      return key ? [{ key, count }] : [];
    });
    const ids = new Set(counts.map(({ key }) => key.idKey));
    await revisions.countsOf(ids, () => {
      for (const { key, count } of counts) {
        const isCounted = countVersion.some(
          (update) => prepare(update).run(count, key.idKey, key.versionKey).changes === 1,
        );
        if (isCounted) prepare(countId).run(count, key.idKey);
      }
    });
  }, addCounts);

  return {
    count: (id: string, version: string) => later.note(`${id} ${version}`, { id, version, count: 1 }),
    flush: later.flush,
  };
}

type Counted = { readonly id: string; readonly version: string; count: number };

function addCounts(older: Counted, { count }: Counted): Counted {
  older.count += count;
  return older;
}
