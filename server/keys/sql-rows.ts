import type { KeyRecord, Scope } from './api-keys.ts';

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
  };
}

function toDate(time: number | null): Date | undefined {
  return time === null ? undefined : new Date(time);
}
