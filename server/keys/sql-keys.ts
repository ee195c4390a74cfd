import { timingSafeEqual } from 'node:crypto';
import type { Actor } from '../audit/audit.ts';
import type { Connection } from '../database/connection.ts';
import { createDeferredWrite } from '../database/deferred-write.ts';
import type { Transaction } from '../database/transact.ts';
import type { KeyTerms } from './api-keys.ts';
import { refusalOf } from './key-state.ts';
import type { Keys, NewKey, Rotation } from './keys.ts';
import { hashKey, newId, newSecret } from './secret.ts';
import { insertKey, type RawKey, toRecord } from './sql-rows.ts';

export type SqlKeysOptions = {
  readonly now: () => Date;
  /** The setting ADMIN_API_KEY: a key with every scope that is not in the database. */
  readonly adminApiKey?: string | undefined;
  /** Another such key for the operator's verbs on this machine, valid for this process only. */
  readonly operatorKey?: string | undefined;
};

/**
 * Keys in SQLite, as SHA-256: a key is 256 random bits, so it cannot be guessed and needs no slow hash. The row is found by the
 * hash, whose timing reveals nothing about the key. `flush` before closing the connection.
 */
export function createSqlKeys(db: Connection, { now, adminApiKey, operatorKey }: SqlKeysOptions): Keys {
  const { prepare, transact, writeStatistics } = db;
  const adminKeys = [
    ['ADMIN_API_KEY', adminApiKey],
    ['operator', operatorKey],
  ] as const;
  const admins = adminKeys.flatMap(([name, key]) => (key === undefined ? [] : [toAdmin(name, key)]));
  /** When each key was used last, by its id. */
  const lastUsed = createDeferredWrite<Date>(
    (used) =>
      writeStatistics(() => {
        for (const [id, time] of used) {
          prepare('UPDATE keys SET last_used = max(ifnull(last_used, 0), ?) WHERE id = ?').run(
            time.getTime(),
            id,
          );
        }
      }),
    (_older, newer) => newer,
  );

  function insert(id: string, hash: Buffer, key: NewKey, by: Actor, { record }: Transaction): void {
    const at = now();
    insertKey(prepare, key, { id, hash, at });
    record({ kind: 'key created', subject: id, detail: termsOf(key) }, by, at);
  }

  function replaceSecret(
    id: string,
    hash: Buffer,
    { oldEnds, expires: wanted }: Rotation,
    by: Actor,
    { record }: Transaction,
  ) {
    const at = now();
    const raw = prepare('SELECT * FROM keys WHERE id = ? AND revoked IS NULL').get(id) as RawKey | undefined;
    if (raw === undefined) return 'missing';
    if (raw.publisher !== null) return 'exchanged';
    const expires = wanted === undefined ? raw.expires : (wanted?.getTime() ?? null);
    if (expires !== null && expires <= at.getTime()) return 'expired';
    const ends = Math.max(oldEnds?.getTime() ?? 0, at.getTime());
    // An earlier rotation may have set a later time, but no secret may outlive the one that replaced it.
    prepare('UPDATE old_secrets SET ends = min(ends, ?) WHERE key_id = ?').run(ends, id);
    prepare('INSERT INTO old_secrets (hash, key_id, ends) VALUES (?, ?, ?)').run(raw.hash, id, ends);
    const sql = 'UPDATE keys SET hash = ?, rotated = ?, expires = ? WHERE id = ?';
    prepare(sql).run(hash, at.getTime(), expires, id);
    const end = ends === at.getTime() ? 'ends at once' : `ends ${timeOf(ends)}`;
    const until = wanted === undefined ? [] : [expires === null ? 'no expiry' : `expires ${timeOf(expires)}`];
    const detail = [raw.name, `the old secret ${end}`, ...until].join(', ');
    record({ kind: 'key rotated', subject: id, detail }, by, at);
    return 'rotated';
  }

  function markRevoked(id: string, by: Actor, { record }: Transaction) {
    const at = now();
    const name = prepare('SELECT name FROM keys WHERE id = ? AND revoked IS NULL').pluck().get(id);
    if (name === undefined) return 'missing';
    // First, since a key may revoke itself.
    record({ kind: 'key revoked', subject: id, detail: String(name) }, by, at);
    prepare('UPDATE keys SET revoked = ? WHERE id = ?').run(at.getTime(), id);
    return 'revoked';
  }

  /** The key of a secret, and when the secret becomes invalid if it was replaced. */
  function lookUp(hash: Buffer): { raw: RawKey; ends: Date | undefined } | undefined {
    const raw = prepare('SELECT * FROM keys WHERE hash = ?').get(hash) as RawKey | undefined;
    if (raw !== undefined) return timingSafeEqual(hash, raw.hash) ? { raw, ends: undefined } : undefined;
    const sql = 'SELECT k.*, o.ends FROM old_secrets o JOIN keys k ON k.id = o.key_id WHERE o.hash = ?';
    const old = prepare(sql).get(hash) as (RawKey & { ends: number }) | undefined;
    return old && { raw: old, ends: new Date(old.ends) };
  }

  return {
    async create(wanted, by) {
      const id = newId();
      const key = newSecret();
      await transact((transaction) => insert(id, hashKey(key), wanted, by, transaction));
      return { id, key };
    },
    async find(secret, from) {
      const hash = hashKey(secret);
      const admin = admins.find((one) => timingSafeEqual(hash, one.hash));
      if (admin) return { key: admin.key };
      const found = lookUp(hash);
      if (found === undefined) return undefined;
      const key = toRecord(found.raw);
      const at = now();
      const refusal = refusalOf(key, found.ends, { at, from });
      if (refusal !== undefined) return { key, refusal };
      lastUsed.note(key.keyId, at);
      return { key };
    },
    async list() {
      const raws = prepare('SELECT * FROM keys ORDER BY created, id').all() as RawKey[];
      return raws.map((raw) => toRecord(raw, lastUsed.get(raw.id)));
    },
    async rotate(id, rotation, by) {
      const key = newSecret();
      const outcome = await transact((transaction) =>
        replaceSecret(id, hashKey(key), rotation, by, transaction),
      );
      return outcome === 'rotated' ? { key } : outcome;
    },
    revoke: (id, by) => transact((transaction) => markRevoked(id, by, transaction)),
    flush: lastUsed.flush,
  };
}

function toAdmin(name: string, key: string): { hash: Buffer; key: KeyTerms } {
  const unlimited = { ids: [], clients: [], networks: [], owner: undefined, expires: undefined };
  return { hash: hashKey(key), key: { keyId: name, name, scopes: ['admin'], ...unlimited } };
}

/** A key's permissions, in one line for the audit log. */
function termsOf({ name, scopes, ids, clients, networks, owner, expires }: NewKey): string {
  const limits = { ids, clients, networks };
  return [
    name,
    scopes.join(' '),
    ...Object.entries(limits).flatMap(([what, list = []]) =>
      list.length === 0 ? [] : [`${what} ${list.join(' ')}`],
    ),
    ...(owner === undefined ? [] : [`owner ${owner}`]),
    ...(expires === undefined ? [] : [`expires ${timeOf(expires)}`]),
  ].join(', ');
}

function timeOf(time: Date | number): string {
  return new Date(time).toISOString();
}
