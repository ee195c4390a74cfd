import { operator } from '../audit/audit.ts';
import type { Connection } from '../database/connection.ts';
import { readLeftDatabase } from '../database/copies.ts';

/** What has ended in a database. */
export type TrustStates = {
  /** Ids of publishers that were removed. */
  readonly publishers: readonly string[];
  /** Addresses of issuers that were forgotten, and are not known again. */
  readonly forgotten: readonly string[];
  /** The keys of the others. */
  readonly issuers: readonly {
    readonly url: string;
    readonly keys: string;
    readonly source: string;
    readonly fetched: number;
  }[];
  readonly spent: readonly { readonly hash: Buffer; readonly ends: number }[];
};

export const nothingTrusted: TrustStates = { publishers: [], forgotten: [], issuers: [], spent: [] };

/** In a database that nobody writes to, also one that an older program left; undefined when it cannot be read. */
export function readTrustStates(file: string): TrustStates | undefined {
  return readLeftDatabase(file, ({ prepare }) => {
    if (!prepare("SELECT 1 FROM sqlite_schema WHERE name = 'publishers'").get()) return nothingTrusted;
    const forgotten = `SELECT DISTINCT subject FROM audit
      WHERE kind = 'issuer removed' AND subject NOT IN (SELECT url FROM issuers)`;
    return {
      publishers: prepare('SELECT id FROM publishers WHERE removed IS NOT NULL').pluck().all() as string[],
      forgotten: prepare(forgotten).pluck().all() as string[],
      issuers: prepare(
        'SELECT url, keys, source, fetched FROM issuers',
      ).all() as TrustStates['issuers'][number][],
      spent: prepare('SELECT hash, ends FROM spent_tokens').all() as { hash: Buffer; ends: number }[],
    };
  });
}

/**
 * Applies what happened there since: removals, newer keys of issuers and spent tokens, so that no older copy of the data undoes them. The keys that
 * were made meanwhile are not in the copy.
 */
export function applyTrustStates(
  { transact }: Connection,
  { publishers, forgotten, issuers, spent }: TrustStates,
  at: Date,
): Promise<void> {
  const why = 'as in the data that was there before a restore';
  return transact(({ prepare, record }) => {
    for (const id of publishers) {
      const sql = 'UPDATE publishers SET removed = ? WHERE id = ? AND removed IS NULL RETURNING name';
      const row = prepare(sql).get(at.getTime(), id) as { name: string } | undefined;
      const detail = `${row?.name}, ${why}`;
      if (row) record({ kind: 'publisher removed', subject: id, detail }, operator, at);
    }
    for (const url of forgotten) {
      if (prepare('DELETE FROM issuers WHERE url = ?').run(url).changes > 0)
        record({ kind: 'issuer removed', subject: url, detail: why }, operator, at);
    }
    for (const { url, keys, source, fetched } of issuers) {
      const sql = `UPDATE issuers SET keys = ?, source = ?, fetched = ?
        WHERE url = ? AND fetched < ? AND keys <> ?`;
      if (prepare(sql).run(keys, source, fetched, url, fetched, keys).changes > 0)
        record({ kind: 'issuer set', subject: url, detail: why }, operator, at);
    }
    const sql = 'INSERT INTO spent_tokens (hash, ends) VALUES (?, ?) ON CONFLICT DO NOTHING';
    for (const { hash, ends } of spent) prepare(sql).run(hash, ends);
  });
}
