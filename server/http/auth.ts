import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Request, RequestHandler } from 'express';
import { fail } from '../errors.ts';
import { allows, type KeyTerms, lacks, type Principal, type Scope } from '../keys/api-keys.ts';
import type { Finding } from '../keys/standing.ts';
import { type Credentials, readCredentials } from './credentials.ts';
import type { Peer } from './peer.ts';
import type { SlowDown } from './slow-down.ts';

export type FindKey = (secret: string, peer: Peer) => Promise<Finding | undefined>;

type Identity = {
  readonly find: () => Promise<KeyTerms | undefined>;
  found?: Promise<KeyTerms | undefined>;
};

const identities = new WeakMap<object, Identity>();
const knownNames = new WeakMap<object, string>();

/**
 * Makes `principalOf` work for the requests that pass. Nothing is looked up yet: an open feed serves those with a
 * wrong or foreign password too.
 */
export function identify(findKey: FindKey, slowDown: SlowDown): RequestHandler {
  return (req, _res, next) => {
    identities.set(req, { find: () => findPrincipal(req, findKey, slowDown) });
    next();
  };
}

/**
 * Who asks; undefined when the request shows no key. One look-up a request.
 * @throws FeedError KEY_INVALID, KEY_EXPIRED, KEY_REVOKED, KEY_ROTATED, KEY_NETWORK (403), or PASSWORD_... (401: ask
 * again) when Basic carried it
 */
export function principalOf(req: Request): Promise<KeyTerms | undefined> {
  const identity = identityOf(req);
  identity.found ??= identity.find();
  return identity.found;
}

/**
 * Looks the key up again, which may have ended since the request began: an upload takes up to hours. To be asked before
 * what came is kept.
 * @throws FeedError as `principalOf`
 */
export async function requireSameKey(req: Request): Promise<void> {
  const [before, now] = [await principalOf(req), await identityOf(req).find()];
  if (now?.keyId !== before?.keyId) fail('KEY_INVALID');
}

function identityOf(req: Request): Identity {
  return identities.get(req) ?? missing();
}

function missing(): never {
  throw new Error('identify() is missing before this door');
}

type Shown = { readonly credentials: Credentials; readonly finding: Finding | undefined };

/** Who shows a key that is good; undefined without one and with a wrong one, which is not held against anybody here. */
export async function knownPrincipal(
  req: Pick<IncomingMessage, 'headers'>,
  peer: Peer,
  findKey: FindKey,
): Promise<KeyTerms | undefined> {
  return goodKeyOf(await lookUp(req, peer, findKey));
}

/** Whether this is enough where reading needs a key. */
export function mayRead(principal: Principal | undefined, subject: string | undefined): boolean {
  return principal !== undefined && allows(principal, 'read', subject);
}

/** The name of the key that was shown, be it good or refused, for the log. */
export function keyNameOf(req: object): string | undefined {
  return knownNames.get(req);
}

/**
 * The principal, once it is known to have the scope: for `subject` (an id or a tool) when one is named.
 * @throws FeedError KEY_MISSING, KEY_SCOPE, KEY_IDS
 */
export function requireScope<P extends Principal>(
  principal: P | undefined,
  scope: Scope,
  subject?: string,
): P {
  if (principal === undefined) {
    return fail('KEY_MISSING');
  }
  return allows(principal, scope, subject)
    ? principal
    : fail(lacks(principal, scope), {
        scope,
        ids: principal.ids.join(', '),
        subject: subject ?? 'this server',
      });
}

/** Each key that the request shows, up to the first good one: of several a good one counts (contract section 3). */
async function lookUp(
  req: Pick<IncomingMessage, 'headers'>,
  peer: Peer,
  findKey: FindKey,
): Promise<readonly Shown[]> {
  const shown: Shown[] = [];
  for (const credentials of readCredentials(req.headers)) {
    const finding = await findReading(credentials.readings, peer, findKey);
    shown.push({ credentials, finding });
    if (finding !== undefined) knownNames.set(req, finding.key.name);
    if (isGood(finding)) break;
  }
  return shown;
}

async function findReading(
  readings: readonly string[],
  peer: Peer,
  findKey: FindKey,
): Promise<Finding | undefined> {
  for (const reading of readings) {
    const finding = await findKey(reading, peer);
    if (finding !== undefined) return finding;
  }
  return undefined;
}

function goodKeyOf(shown: readonly Shown[]): KeyTerms | undefined {
  const finding = shown.at(-1)?.finding;
  return isGood(finding) ? finding?.key : undefined;
}

function isGood(finding: Finding | undefined): boolean {
  return finding !== undefined && finding.refusal === undefined;
}

async function findPrincipal(
  req: Request,
  findKey: FindKey,
  slowDown: SlowDown,
): Promise<KeyTerms | undefined> {
  const peer = { address: req.ip, isSecure: req.secure };
  const shown = await lookUp(req, peer, findKey);
  const good = goodKeyOf(shown);
  // Whoever holds the whole secret hears what is wrong with it; to all others it is unknown.
  const refused = shown.find(({ finding }) => finding !== undefined) ?? shown[0];
  if (good !== undefined || refused === undefined) return good;
  const delays = shown.map(({ credentials: { kind, user, readings } }) =>
    slowDown.failed({ from: req.ip, shown: `${kind} ${user || (readings[0] ?? '')}` }),
  );
  await holdBack(Math.max(...delays));
  return refuse(refused, req.ip);
}

/** How many refusals may wait at once; beyond that they go out at once, since each of them holds a connection. */
const maxWaiting = 200;
let waiting = 0;

async function holdBack(delayMs: number): Promise<void> {
  if (delayMs === 0 || waiting >= maxWaiting) {
    return;
  }
  waiting += 1;
  try {
    await sleep(delayMs);
  } finally {
    waiting -= 1;
  }
}

const refusals = {
  unknown: { key: 'KEY_INVALID', basic: 'PASSWORD_INVALID' },
  expired: { key: 'KEY_EXPIRED', basic: 'PASSWORD_EXPIRED' },
  revoked: { key: 'KEY_REVOKED', basic: 'PASSWORD_REVOKED' },
  rotated: { key: 'KEY_ROTATED', basic: 'PASSWORD_ROTATED' },
  // Another password would not help.
  network: { key: 'KEY_NETWORK', basic: 'KEY_NETWORK' },
} as const;

function refuse({ credentials, finding }: Shown, from: string | undefined): never {
  const { refusal } = finding ?? {};
  const at = refusal !== undefined && 'at' in refusal ? refusal.at.toISOString() : '';
  return fail(refusals[refusal?.why ?? 'unknown'][credentials.kind], {
    name: finding?.key.name ?? '',
    at,
    from: from ?? 'an unknown address',
  });
}
