import type { Actor } from '../audit/audit.ts';
import type { KeyRecord, KeyTerms } from './api-keys.ts';
import type { KeyLookup } from './key-state.ts';

/** A key to be created. Names are for people and need not be unique; absent limits do not apply. */
export type NewKey = Pick<KeyTerms, 'name' | 'scopes' | 'ids'> & Partial<Omit<KeyTerms, 'keyId'>>;

export type Rotation = {
  /** When the previous secret becomes invalid; absent: at once. */
  readonly oldEnds?: Date | undefined;
  /** A new expiry for the key itself, `null` for none; absent: unchanged. */
  readonly expires?: Date | null | undefined;
};

/** The port to API keys. A key is shown once, when it is created; only its hash is stored. */
export interface Keys {
  /** Durable when it returns, with its audit entry. */
  create(key: NewKey, by: Actor): Promise<{ readonly id: string; readonly key: string }>;
  /**
   * The key that a secret belongs to, used from the address `from`; undefined if unknown. Records the time of use if it is
   * accepted.
   */
  find(secret: string, from: string | undefined): Promise<KeyLookup | undefined>;
  /** Oldest first, including revoked ones. */
  list(): Promise<KeyRecord[]>;
  /** Replaces the secret of a key; `missing` also for a revoked key, `expired` when the new secret would already be invalid, `exchanged` for one of a CI job. */
  rotate(
    id: string,
    rotation: Rotation,
    by: Actor,
  ): Promise<{ readonly key: string } | 'missing' | 'expired' | 'exchanged'>;
  /** When it returns, `find` refuses the key. `missing` when there is no such key or it was already revoked. */
  revoke(id: string, by: Actor): Promise<'revoked' | 'missing'>;
  /** Writes the times of last use, which are collected in memory. */
  flush(): Promise<void>;
}
