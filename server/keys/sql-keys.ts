import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Actor } from '../audit/audit.ts';
import { createRecordChange } from '../audit/sql-record.ts';
import { type Connection, durably } from '../catalog/sql/connect.ts';
import { createStatements } from '../catalog/sql/statements.ts';
import { createWriteLater } from '../catalog/write-later.ts';
import type { KeyRecord, Principal, Scope } from './api-keys.ts';
import type { Keys, NewKey } from './keys.ts';

export type SqlKeysOptions = {
  readonly now: () => Date;
  /** The setting ADMIN_API_KEY: a key with every scope that is not in the database. */
  readonly adminApiKey?: string | undefined;
  /** Another one, for the operator's verbs on this machine; it is good for this process only. */
  readonly operatorKey?: string | undefined;
};

/**
 * Keys in SQLite, as SHA-256: a key is 256 random bits, so that no slow hash is needed to keep it from being guessed.
 * The row is found by the hash, which tells nothing of the key by its timing. `flush` before closing the connection.
 */
export function createSqlKeys(db: Connection, { now, adminApiKey, operatorKey }: SqlKeysOptions): Keys {
  const prepare = createStatements(db);
  const record = createRecordChange(prepare);
  const adminKeys = [
    ['ADMIN_API_KEY', adminApiKey],
    ['operator', operatorKey],
  ] as const;
  const admins = adminKeys.flatMap(([name, key]) => (key === undefined ? [] : [toAdmin(name, key)]));
  let lastUsed = new Map<string, Date>();

  const writeLastUsed = db.transaction((times: typeof lastUsed) => {
    for (const [id, time] of times) {
      prepare('UPDATE keys SET last_used = ? WHERE id = ?').run(time.getTime(), id);
    }
  });
  const later = createWriteLater(() => {
    if (lastUsed.size === 0) return;
    writeLastUsed.immediate(lastUsed);
    lastUsed = new Map();
  });

  const insert = db.transaction((id: string, hash: Buffer, { name, scopes, ids }: NewKey, by: Actor) => {
    const at = now();
    const sql = 'INSERT INTO keys (id, name, scopes, ids, hash, created) VALUES (?, ?, ?, ?, ?, ?)';
    prepare(sql).run(id, name, JSON.stringify(scopes), JSON.stringify(ids), hash, at.getTime());
    const detail = [name, scopes.join(' '), ...(ids.length === 0 ? [] : [`ids ${ids.join(' ')}`])].join(', ');
    record({ kind: 'key created', subject: id, detail }, by, at);
  });
  const markRevoked = db.transaction((id: string, by: Actor) => {
    const at = now();
    const sql = 'UPDATE keys SET revoked = ? WHERE id = ? AND revoked IS NULL RETURNING name';
    const row = prepare(sql).get(at.getTime(), id) as { name: string } | undefined;
    if (row === undefined) return 'missing';
    record({ kind: 'key revoked', subject: id, detail: row.name }, by, at);
    return 'revoked';
  });

  return {
    async create(wanted, by) {
      const id = randomBytes(8).toString('hex');
      const key = `gwt_${randomBytes(32).toString('base64url')}`;
      durably(() => insert.immediate(id, hashKey(key), wanted, by));
      return { id, key };
    },
    async find(key) {
      const hash = hashKey(key);
      const admin = admins.find((one) => timingSafeEqual(hash, one.hash));
      if (admin) return admin.principal;
      const raw = prepare('SELECT * FROM keys WHERE hash = ? AND revoked IS NULL').get(hash) as
        | RawKey
        | undefined;
      if (!raw || !timingSafeEqual(hash, raw.hash)) return undefined;
      lastUsed.set(raw.id, now());
      later.wake();
      return toPrincipal(raw);
    },
    async list() {
      const raws = prepare('SELECT * FROM keys ORDER BY created, id').all() as RawKey[];
      return raws.map((raw) => toRecord(raw, lastUsed.get(raw.id)));
    },
    async revoke(id, by) {
      return durably(() => markRevoked.immediate(id, by));
    },
    async flush() {
      later.flush();
    },
  };
}

function toAdmin(name: string, key: string): { hash: Buffer; principal: Principal } {
  return { hash: hashKey(key), principal: { keyId: name, name, scopes: ['admin'], ids: [] } };
}

type RawKey = {
  id: string;
  name: string;
  scopes: string;
  ids: string;
  hash: Buffer;
  created: number;
  last_used: number | null;
  revoked: number | null;
};

// Both lists were written by `create` above from values of these types.
function toPrincipal(raw: RawKey): Principal {
  return {
    keyId: raw.id,
    name: raw.name,
    scopes: JSON.parse(raw.scopes) as Scope[],
    ids: JSON.parse(raw.ids) as string[],
  };
}

function toRecord(raw: RawKey, lastUsed: Date | undefined): KeyRecord {
  return {
    ...toPrincipal(raw),
    created: new Date(raw.created),
    lastUsed: lastUsed ?? toDate(raw.last_used),
    revoked: toDate(raw.revoked),
  };
}

function toDate(time: number | null): Date | undefined {
  return time === null ? undefined : new Date(time);
}

function hashKey(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
