import Database from 'better-sqlite3';
import { operator } from '../audit/audit.ts';
import { createRecordChange } from '../audit/sql-record.ts';
import type { Connection } from '../database/connection.ts';
import { createStatements } from '../database/statements.ts';
import type { RawKey } from './sql-rows.ts';

type StoredState = Pick<RawKey, 'id' | 'name' | 'hash' | 'expires' | 'rotated' | 'revoked'>;
type OldSecret = { hash: Buffer; key_id: string; ends: number };
/** What can change of keys once they are made. */
export type KeyStates = { readonly keys: readonly StoredState[]; readonly oldSecrets: readonly OldSecret[] };

/** How keys stand in a database that nobody writes to; undefined when it cannot be read. */
export function readKeyStates(file: string): KeyStates | undefined {
  let db: Connection | undefined;
  try {
    db = new Database(file, { readonly: true, fileMustExist: true });
    return {
      keys: db.prepare('SELECT id, name, hash, expires, rotated, revoked FROM keys').all() as StoredState[],
      oldSecrets: db.prepare('SELECT hash, key_id, ends FROM old_secrets').all() as OldSecret[],
    };
  } catch (error) {
    // A restore is what mends a damaged database.
    if (error instanceof Database.SqliteError) return undefined;
    throw error;
  } finally {
    db?.close();
  }
}

/**
 * Revokes the keys that are revoked there, and takes over the secrets of those that were rotated later there: a secret that
 * has ended opens nothing in another copy of the data either. Answers with how many keys that changed.
 */
export function applyKeyStates(db: Connection, { keys, oldSecrets }: KeyStates, at: Date): number {
  const prepare = createStatements(db);
  const record = createRecordChange(prepare);
  const detailOf = ({ name }: StoredState) => `${name}, as in the data that was there before a restore`;

  function rotate(here: StoredState, there: StoredState): boolean {
    if ((there.rotated ?? 0) <= (here.rotated ?? 0)) return false;
    const { id, hash, rotated, expires } = there;
    prepare('UPDATE keys SET hash = ?, rotated = ?, expires = ? WHERE id = ?').run(
      hash,
      rotated,
      expires,
      id,
    );
    const sql = `INSERT INTO old_secrets (hash, key_id, ends) VALUES (?, ?, ?)
      ON CONFLICT DO UPDATE SET ends = min(ends, excluded.ends)`;
    for (const old of oldSecrets) if (old.key_id === id) prepare(sql).run(old.hash, id, old.ends);
    record({ kind: 'key rotated', subject: id, detail: detailOf(here) }, operator, at);
    return true;
  }
  function revoke(here: StoredState, there: StoredState): boolean {
    if (there.revoked === null || here.revoked !== null) return false;
    prepare('UPDATE keys SET revoked = ? WHERE id = ?').run(there.revoked, here.id);
    record({ kind: 'key revoked', subject: here.id, detail: detailOf(here) }, operator, at);
    return true;
  }

  return db.transaction(() => {
    let changed = 0;
    for (const there of keys) {
      const here = prepare('SELECT * FROM keys WHERE id = ?').get(there.id) as StoredState | undefined;
      if (here === undefined) continue;
      const [isRotated, isRevoked] = [rotate(here, there), revoke(here, there)];
      if (isRotated || isRevoked) changed += 1;
    }
    return changed;
  })();
}
