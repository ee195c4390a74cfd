import { visible } from '../../formats/format-error.ts';
import type { Claims } from './id-token.ts';
import type { Publisher } from './trust.ts';

/** A claim that is not as expected. */
export type Misfit = { readonly what: string; readonly expected: string; readonly found: string };

/** How far the clocks of issuer and server may differ. */
export const skewSeconds = 60;
/** An older token is refused even if it has no end yet: it lay around somewhere. */
export const maxAgeSeconds = 3600;

/** Why a token is not valid at this time. */
export function timeProblem({ exp, nbf, iat }: Claims, now: Date): string | undefined {
  const at = now.getTime() / 1000;
  if (at >= exp + skewSeconds) return `it ended at ${timeOf(exp)}`;
  if (at >= iat + maxAgeSeconds + skewSeconds)
    return `it was issued at ${timeOf(iat)}, more than an hour ago`;
  if (nbf !== undefined && at < nbf - skewSeconds) return `it is not valid before ${timeOf(nbf)}`;
  return at < iat - skewSeconds ? `it was issued at ${timeOf(iat)}, which is in the future` : undefined;
}

/** When no server takes it any more, whatever its clock says within the skew. */
export function endOf({ exp, iat }: Claims): Date {
  return new Date((Math.min(exp, iat + maxAgeSeconds) + 2 * skewSeconds) * 1000);
}

/** Publishers that have the token's issuer and subject: who has such a token may know what else they expect. */
export function publishersOf(publishers: readonly Publisher[], { iss, sub }: Claims): readonly Publisher[] {
  return publishers.filter(({ issuer, subject }) => issuer === iss && subject === sub);
}

/** What of the token is not as the publisher expects it; undefined when all fits. */
export function misfitOf(
  { audience, claims: wanted, expires }: Publisher,
  claims: Claims,
  now: Date,
): Misfit | undefined {
  if (!isOnly(claims.aud, audience)) return misfit('the audience', audience, claims.aud);
  for (const [name, value] of wanted) {
    const found = Object.hasOwn(claims, name) ? claims[name] : undefined;
    if (textOf(found) !== value) return misfit(`the claim ${name}`, value, found);
  }
  if (expires !== undefined && expires <= now)
    return { what: 'to be used until', expected: expires.toISOString(), found: now.toISOString() };
  return undefined;
}

/** A token for several audiences could be sent here by one of the others. */
function isOnly(aud: Claims['aud'], audience: string): boolean {
  return typeof aud === 'string' ? aud === audience : aud.length === 1 && aud[0] === audience;
}

/** A claim as text: GitLab has numbers. Lists and objects equal nothing. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

function misfit(what: string, expected: string, found: unknown): Misfit {
  return { what, expected: shown(expected), found: found === undefined ? 'none' : shown(found) };
}

/** In one line, as JSON writes it, with at most 200 characters. */
export function shown(value: unknown): string {
  return visible(JSON.stringify(value));
}

function timeOf(seconds: number): string {
  return new Date(Math.floor(seconds) * 1000).toISOString();
}
