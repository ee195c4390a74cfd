import { setTimeout as sleep } from 'node:timers/promises';
import type { Request, RequestHandler } from 'express';
import { fail } from '../errors.ts';
import { allows, lacks, type Principal, type Scope } from '../keys/api-keys.ts';
import { type Credentials, readCredentials } from './credentials.ts';
import type { SlowDown } from './slow-down.ts';

export type FindKey = (key: string) => Promise<Principal | undefined>;

type Identity = {
  readonly find: () => Promise<Principal | undefined>;
  found?: Promise<Principal | undefined>;
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
 * @throws FeedError KEY_INVALID (403), or PASSWORD_INVALID (401: ask again) when Basic carried the wrong key
 */
export function principalOf(req: Request): Promise<Principal | undefined> {
  const identity = identities.get(req);
  if (identity === undefined) {
    throw new Error('principalOf: identify() is missing before this door');
  }
  identity.found ??= identity.find();
  return identity.found;
}

/** Who shows a key that is right; undefined without one and with a wrong one, which is not held against anybody here. */
export async function knownPrincipal(
  req: Pick<Request, 'headers'>,
  findKey: FindKey,
): Promise<Principal | undefined> {
  for (const reading of readCredentials(req.headers)?.readings ?? []) {
    const principal = await findKey(reading);
    if (principal !== undefined) {
      knownNames.set(req, principal.name);
      return principal;
    }
  }
  return undefined;
}

/** Whether this is enough where reading needs a key. */
export function mayRead(principal: Principal | undefined, subject: string | undefined): boolean {
  return principal !== undefined && allows(principal, 'read', subject);
}

/** The name of the key that was used, for the log. */
export function keyNameOf(req: object): string | undefined {
  return knownNames.get(req);
}

/**
 * The principal, once it is known to have the scope: for `subject` (an id or a tool) when one is named.
 * @throws FeedError KEY_MISSING, KEY_SCOPE, KEY_IDS
 */
export function requireScope(principal: Principal | undefined, scope: Scope, subject?: string): Principal {
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

async function findPrincipal(
  req: Request,
  findKey: FindKey,
  slowDown: SlowDown,
): Promise<Principal | undefined> {
  const credentials = readCredentials(req.headers);
  if (credentials === undefined) {
    return undefined;
  }
  const principal = await knownPrincipal(req, findKey);
  if (principal !== undefined) {
    return principal;
  }
  const { kind, user, readings } = credentials;
  await holdBack(slowDown.failed({ from: req.ip, shown: `${kind} ${user || (readings[0] ?? '')}` }));
  return refuse(credentials);
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

function refuse(credentials: Credentials): never {
  return fail(credentials.kind === 'basic' ? 'PASSWORD_INVALID' : 'KEY_INVALID');
}
