import { type Connection, withoutWaiting } from '../../database/connection.ts';
import { createDeferredWrite } from '../../database/deferred-write.ts';
import type { Prepare } from '../../database/statements.ts';
import type { Revisions } from './revisions.ts';
import type { PackageKey } from './rows.ts';

/** Downloads counted in memory, written in batches: one transaction for all that came in within seconds. */
export function createDownloadCounts(db: Connection, prepare: Prepare, revisions: Revisions) {
  let waiting = new Map<string, { readonly key: PackageKey; count: number }>();

  const add = db.transaction((counts: typeof waiting) => {
    for (const { key, count } of counts.values()) {
      const sql = 'UPDATE packages SET downloads = downloads + ? WHERE id_key = ? AND version_key = ?';
      const { changes } = prepare(sql).run(count, key.idKey, key.versionKey);
      if (changes === 1)
        prepare('UPDATE ids SET downloads = downloads + ? WHERE id_key = ?').run(count, key.idKey);
    }
    revisions.bump();
  });

  const later = createDeferredWrite(() => {
    if (waiting.size === 0) return;
    const counts = waiting;
    const ids = new Set([...counts.values()].map(({ key }) => key.idKey));
    revisions.afterCommit(
      withoutWaiting(db, () => add.immediate(counts)),
      { what: 'counts', ids },
    );
    waiting = new Map();
  });

  function count(key: PackageKey): void {
    const name = `${key.idKey} ${key.versionKey}`;
    const entry = waiting.get(name);
    if (entry) entry.count += 1;
    else waiting.set(name, { key, count: 1 });
    later.wake();
  }

  return { count, flush: later.flush };
}
