import { isInNetworks } from '../../formats/ip-address.ts';
import type { KeyRecord, KeyTerms } from './api-keys.ts';

/** Whose secret this is, and why it opens nothing where it does not. */
export type KeyLookup =
  | { readonly key: KeyTerms; readonly refusal?: never }
  | { readonly key: KeyTerms; readonly refusal: Refusal };

export type Refusal =
  | { readonly why: 'revoked' | 'rotated' | 'expired'; readonly at: Date }
  | { readonly why: 'network' };

/** Where and when a secret is shown. */
type Use = { readonly at: Date; readonly from: string | undefined };

/**
 * Why the holder of a secret of this key is refused. `ends` is when a secret ends that a rotation replaced. What is final
 * comes first: whoever asks from elsewhere with a key that is revoked need not look for another network.
 */
export function refusalOf(key: KeyRecord, ends: Date | undefined, { at, from }: Use): Refusal | undefined {
  if (key.revoked !== undefined) return { why: 'revoked', at: key.revoked };
  if (ends !== undefined && ends <= at) return { why: 'rotated', at: ends };
  if (key.expires !== undefined && key.expires <= at) return { why: 'expired', at: key.expires };
  return key.networks.length > 0 && !isInNetworks(from ?? '', key.networks) ? { why: 'network' } : undefined;
}

export const keyStates = ['active', 'expiring', 'expired', 'revoked'] as const;
type KeyState = (typeof keyStates)[number];

/** How long before its end a key is called expiring. */
export const expiringDays = 14;

export function stateOf({ revoked, expires }: KeyRecord, at: Date): KeyState {
  if (revoked !== undefined) return 'revoked';
  if (expires === undefined) return 'active';
  const left = expires.getTime() - at.getTime();
  if (left <= 0) return 'expired';
  return left <= expiringDays * 86_400_000 ? 'expiring' : 'active';
}
