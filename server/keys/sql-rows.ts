import type { Prepare } from '../database/statements.ts';
import type { KeyRecord, Scope } from './api-keys.ts';
import type { NewKey } from './keys.ts';

/** A row of the table `keys`. */
export type RawKey = {
  id: string;
  name: string;
  scopes: string;
  ids: string;
  clients: string;
  networks: string;
  owner: string | null;
  expires: number | null;
  hash: Buffer;
  created: number;
  last_used: number | null;
  rotated: number | null;
  revoked: number | null;
  publisher: string | null;
};

/** `lastUsed` may be newer than the stored time. The lists were written by `create` from values of these types. */
export function toRecord(raw: RawKey, lastUsed?: Date): KeyRecord {
  return {
    keyId: raw.id,
    name: raw.name,
    scopes: JSON.parse(raw.scopes) as Scope[],
    ids: JSON.parse(raw.ids) as string[],
    clients: JSON.parse(raw.clients) as string[],
    networks: JSON.parse(raw.networks) as string[],
    owner: raw.owner ?? undefined,
    expires: toDate(raw.expires),
    created: new Date(raw.created),
    lastUsed: lastUsed ?? toDate(raw.last_used),
    rotated: toDate(raw.rotated),
    revoked: toDate(raw.revoked),
    publisher: raw.publisher ?? undefined,
  };
}

/** What a row has besides the key's terms. */
type Made = {
  readonly id: string;
  readonly hash: Buffer;
  readonly at: Date;
  readonly publisher?: string | undefined;
};

export function insertKey(prepare: Prepare, key: NewKey, { id, hash, at, publisher }: Made): void {
  const lists = [key.scopes, key.ids, key.clients ?? [], key.networks ?? []].map((list) =>
    JSON.stringify(list),
  );
  const sql = `INSERT INTO keys (id, name, scopes, ids, clients, networks, owner, expires, hash, created, publisher)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
  const ends = [key.owner ?? null, key.expires?.getTime() ?? null];
  prepare(sql).run(id, key.name, ...lists, ...ends, hash, at.getTime(), publisher ?? null);
}

function toDate(time: number | null): Date | undefined {
  return time === null ? undefined : new Date(time);
}
