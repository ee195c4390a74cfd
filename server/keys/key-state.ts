import { dayMs } from '../../formats/duration.ts';
import { isInNetworks } from '../../formats/ip-address.ts';
import type { KeyRecord, KeyTerms } from './api-keys.ts';

/** The key that a secret belongs to, and why it is refused if it is. */
export type KeyLookup =
  | { readonly key: KeyTerms; readonly refusal?: never }
  | { readonly key: KeyTerms; readonly refusal: Refusal };

export type Refusal =
  | { readonly why: 'revoked' | 'rotated' | 'expired'; readonly at: Date }
  | { readonly why: 'network' };

/** When and from where a secret was used. */
type Use = { readonly at: Date; readonly from: string | undefined };

/**
 * Why a secret of this key is refused. `ends` is when a replaced secret becomes invalid. Final reasons come first: for a revoked
 * key another network makes no difference.
 */
export function refusalOf(key: KeyRecord, ends: Date | undefined, { at, from }: Use): Refusal | undefined {
  if (key.revoked !== undefined) return { why: 'revoked', at: key.revoked };
  if (ends !== undefined && ends <= at) return { why: 'rotated', at: ends };
  if (key.expires !== undefined && key.expires <= at) return { why: 'expired', at: key.expires };
  return key.networks.length > 0 && !isInNetworks(from ?? '', key.networks) ? { why: 'network' } : undefined;
}

export const keyStates = ['active', 'expiring', 'expired', 'revoked'] as const;
type KeyState = (typeof keyStates)[number];

/** A key is called expiring this long before its end. */
export const expiringDays = 14;

/** A CI job's key ends within the hour, and nobody has to do anything about it: it is not called expiring. */
export function stateOf({ revoked, expires, publisher }: KeyRecord, at: Date): KeyState {
  if (revoked !== undefined) return 'revoked';
  if (expires === undefined) return 'active';
  const left = expires.getTime() - at.getTime();
  if (left <= 0) return 'expired';
  if (publisher !== undefined) return 'active';
  return left <= expiringDays * dayMs ? 'expiring' : 'active';
}
