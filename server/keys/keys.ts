import type { Actor } from '../audit/audit.ts';
import type { KeyRecord, KeyTerms } from './api-keys.ts';
import type { KeyLookup } from './key-state.ts';

/** A key that is to be made. Names are for people and need not be unique; what is left out limits nothing. */
export type NewKey = Pick<KeyTerms, 'name' | 'scopes' | 'ids'> & Partial<Omit<KeyTerms, 'keyId'>>;

export type Rotation = {
  /** When the secret of before ends; left out: at once. */
  readonly oldEnds?: Date | undefined;
  /** A new time for the key itself, `null` for none; left out: as it was. */
  readonly expires?: Date | null | undefined;
};

/** The port to who may do what. A key is shown once, when it is made; only its hash is kept. */
export interface Keys {
  /** Durable when it returns, with its audit entry. */
  create(key: NewKey, by: Actor): Promise<{ readonly id: string; readonly key: string }>;
  /**
   * Whose secret this is, shown by somebody at the address `from`; undefined for an unknown one. Notes the time of use
   * of one that is good.
   */
  find(secret: string, from: string | undefined): Promise<KeyLookup | undefined>;
  /** Oldest first, revoked ones too. */
  list(): Promise<KeyRecord[]>;
  /** Another secret for the same key; `missing` also for one that was revoked, `expired` when it would be born dead. */
  rotate(
    id: string,
    rotation: Rotation,
    by: Actor,
  ): Promise<{ readonly key: string } | 'missing' | 'expired'>;
  /** From its return on, `find` refuses the key; `missing` when there is none, or it was revoked before. */
  revoke(id: string, by: Actor): Promise<'revoked' | 'missing'>;
  /** Writes the times of last use, which are kept in memory and written in batches. */
  flush(): Promise<void>;
}
