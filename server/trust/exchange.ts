import { isInNetworks } from '../../formats/ip-address.ts';
import { fail } from '../errors.ts';
import { fingerprintOf, readIdToken, signerOf } from './id-token.ts';
import { endOf, misfitOf, publishersOf, shown, timeProblem } from './match.ts';
import { runOf } from './run-of.ts';
import type { Exchanged, Publisher, Trust } from './trust.ts';

export const defaultLifetimeMs = 15 * 60_000;
export const maxLifetimeMs = 60 * 60_000;
/** Each time, publishers or keys of issuers have changed. */
const maxAttempts = 3;

export type ExchangeRequest = {
  readonly token: string;
  /** By name, where several fit. */
  readonly publisher?: string | undefined;
  readonly lifetimeMs?: number | undefined;
  /** The address it came from. */
  readonly from: string;
};

export type ExchangedKey = Exchanged & {
  readonly name: string;
  readonly publisher: string;
  readonly expires: Date;
};

/**
 * A short-lived key for the OIDC token of a CI job: who signed it, whether it is valid now, who may use it, and whether somebody has.
 * @throws FeedError TOKEN_INVALID, TOKEN_TIME, TOKEN_SUBJECT, TOKEN_CLAIM, TOKEN_AMBIGUOUS, TOKEN_NETWORK, TOKEN_SPENT, TOKEN_MANY
 */
export async function exchange(
  trust: Trust,
  request: ExchangeRequest,
  now: Date,
  attempt = 1,
): Promise<ExchangedKey> {
  const { from, lifetimeMs = defaultLifetimeMs } = request;
  const token = readIdToken(request.token);
  const issuer = token && (await trust.findIssuer(token.claims.iss));
  const signer = token && issuer && (await signerOf(token, issuer.keys));
  if (token === undefined || signer === undefined) return fail('TOKEN_INVALID');
  const { claims } = token;
  const problem = timeProblem(claims, now);
  if (problem !== undefined) fail('TOKEN_TIME', { problem, now: now.toISOString() });
  const named = (await trust.list()).filter(({ name }) => name === (request.publisher ?? name));
  const publisher = choose(publishersOf(named, claims), (one) => misfitOf(one, claims, now), {
    subject: shown(claims.sub),
    named: request.publisher === undefined ? '' : ` ${shown(request.publisher)}`,
  });
  if (publisher.networks.length > 0 && !isInNetworks(from, publisher.networks))
    fail('TOKEN_NETWORK', { publisher: publisher.name, from });

  const run = runOf(claims);
  const name = `${publisher.name} ${run.label}`.trim();
  const expires = earlier(new Date(now.getTime() + Math.min(lifetimeMs, maxLifetimeMs)), publisher.expires);
  const outcome = await trust.redeem({
    ...{ publisher, signer, from, expires, keyName: name, run: run.detail },
    token: fingerprintOf(token),
    tokenEnds: endOf(claims),
  });
  if (outcome === 'spent') return fail('TOKEN_SPENT');
  if (outcome === 'many') return fail('TOKEN_MANY', { publisher: publisher.name });
  if (outcome === 'gone') {
    // Decided anew: the publisher was removed, or its issuer's key was, which is said in another way.
    if (attempt < maxAttempts) return exchange(trust, request, now, attempt + 1);
    return fail('TOKEN_SUBJECT', { subject: shown(claims.sub), named: '' });
  }
  return { ...outcome, name, publisher: publisher.name, expires };
}

/** The only one that fits. */
function choose(
  publishers: readonly Publisher[],
  misfit: (publisher: Publisher) => ReturnType<typeof misfitOf>,
  asked: { readonly subject: string; readonly named: string },
): Publisher {
  const [first] = publishers;
  if (first === undefined) return fail('TOKEN_SUBJECT', asked);
  const [fitting, ...others] = publishers.filter((one) => misfit(one) === undefined);
  if (fitting === undefined) return fail('TOKEN_CLAIM', { publisher: first.name, ...misfit(first) });
  if (others.length > 0)
    fail('TOKEN_AMBIGUOUS', { names: [fitting, ...others].map(({ name }) => name).join(', ') });
  return fitting;
}

function earlier(time: Date, limit: Date | undefined): Date {
  return limit !== undefined && limit < time ? limit : time;
}
