import { operator } from '../audit/audit.ts';
import type { Connection } from '../database/connection.ts';
import { readLeftDatabase } from '../database/copies.ts';
import type { Transaction } from '../database/transact.ts';
import type { RawKey } from './sql-rows.ts';

type StoredState = Pick<RawKey, 'id' | 'name' | 'hash' | 'expires' | 'rotated' | 'revoked'>;
type OldSecret = { hash: Buffer; key_id: string; ends: number };
/** The parts of keys that can change after they were created. */
export type KeyStates = { readonly keys: readonly StoredState[]; readonly oldSecrets: readonly OldSecret[] };

/** The state of the keys in a database that nobody writes to; undefined when it cannot be read. */
export function readKeyStates(file: string): KeyStates | undefined {
  return readLeftDatabase(file, ({ prepare }) => ({
    keys: prepare('SELECT id, name, hash, expires, rotated, revoked FROM keys').all() as StoredState[],
    oldSecrets: prepare('SELECT hash, key_id, ends FROM old_secrets').all() as OldSecret[],
  }));
}

/**
 * Revokes the keys that are revoked there, and takes over the secrets of those that were rotated later there, so that an ended
 * secret does not work in another copy of the data either. Returns how many keys changed.
 */
export function applyKeyStates(
  { transact }: Connection,
  { keys, oldSecrets }: KeyStates,
  at: Date,
): Promise<number> {
  const detailOf = ({ name }: StoredState) => `${name}, as in the data that was there before a restore`;

  function rotate(here: StoredState, there: StoredState, { prepare, record }: Transaction): boolean {
    if ((there.rotated ?? 0) <= (here.rotated ?? 0)) return false;
    const { id, hash, rotated, expires } = there;
    const update = 'UPDATE keys SET hash = ?, rotated = ?, expires = ? WHERE id = ?';
    prepare(update).run(hash, rotated, expires, id);
    const insert = `INSERT INTO old_secrets (hash, key_id, ends) VALUES (?, ?, ?)
      ON CONFLICT DO UPDATE SET ends = min(ends, excluded.ends)`;
    for (const old of oldSecrets) if (old.key_id === id) prepare(insert).run(old.hash, id, old.ends);
    record({ kind: 'key rotated', subject: id, detail: detailOf(here) }, operator, at);
    return true;
  }
  function revoke(here: StoredState, there: StoredState, { prepare, record }: Transaction): boolean {
    if (there.revoked === null || here.revoked !== null) return false;
    prepare('UPDATE keys SET revoked = ? WHERE id = ?').run(there.revoked, here.id);
    record({ kind: 'key revoked', subject: here.id, detail: detailOf(here) }, operator, at);
    return true;
  }

  return transact((transaction) => {
    let changed = 0;
    for (const there of keys) {
      const here = transaction.prepare('SELECT * FROM keys WHERE id = ?').get(there.id) as
        | StoredState
        | undefined;
      if (here === undefined) continue;
      const [isRotated, isRevoked] = [rotate(here, there, transaction), revoke(here, there, transaction)];
      if (isRotated || isRevoked) changed += 1;
    }
    return changed;
  });
}
