import type { Connection } from '../../database/connection.ts';
import { readLeftDatabase } from '../../database/copies.ts';
import { scrubs } from './purge.ts';

/** A version that was purged, whose number stays used up. */
export type Tombstone = { id_key: string; version_key: string; id: string; version: string; at: number };

/** What was purged, according to a database that nobody writes to; undefined when it cannot be read. */
export function tombstonesOf(file: string): Tombstone[] | undefined {
  return readLeftDatabase(file, ({ prepare }) => {
    const hasTable = prepare("SELECT 1 FROM sqlite_schema WHERE name = 'purged'").get() !== undefined;
    if (!hasTable) return [];
    return prepare('SELECT id_key, version_key, id, version, at FROM purged').all() as Tombstone[];
  });
}

/** Includes versions that this database never had. */
export function keepTombstones({ transact }: Connection, tombstones: readonly Tombstone[]): Promise<void> {
  const insert = `INSERT INTO purged (id_key, version_key, id, version, at, is_scrubbed)
    VALUES (?, ?, ?, ?, ?, ${scrubs.done}) ON CONFLICT DO NOTHING`;
  return transact(({ prepare }) => {
    for (const { id_key, version_key, id, version, at } of tombstones) {
      prepare(insert).run(id_key, version_key, id, version, at);
    }
  });
}
