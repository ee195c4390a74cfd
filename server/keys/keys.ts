import type { Actor } from '../audit/audit.ts';
import type { KeyRecord, Principal, Scope } from './api-keys.ts';

/** A key that is to be made. Names are for people and need not be unique. */
export type NewKey = {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Globs over package ids and tool names; empty means all. */
  readonly ids: readonly string[];
};

/** The port to who may do what. A key is shown once, when it is made; only its hash is kept. */
export interface Keys {
  /** Durable when it returns, with its audit entry. */
  create(key: NewKey, by: Actor): Promise<{ readonly id: string; readonly key: string }>;
  /** Whose key this is; undefined for an unknown or revoked one. Notes the time of use. */
  find(key: string): Promise<Principal | undefined>;
  /** Oldest first, revoked ones too. */
  list(): Promise<KeyRecord[]>;
  /** From its return on, `find` does not know the key; `missing` when there is none, or it was revoked before. */
  revoke(id: string, by: Actor): Promise<'revoked' | 'missing'>;
  /** Writes the times of last use, which are kept in memory and written in batches. */
  flush(): Promise<void>;
}
