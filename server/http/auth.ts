import type { IncomingMessage } from 'node:http';
import type { Request, RequestHandler } from 'express';
import { fail } from '../errors.ts';
import { allows, type KeyTerms, lacks, type Principal, type Scope } from '../keys/api-keys.ts';
import { matchesGlob } from '../keys/glob.ts';
import type { KeyLookup } from '../keys/key-state.ts';
import { readCredentials } from './credentials.ts';
import type { GuessThrottle } from './guess-throttle.ts';
import { adviceFor, holdBack, refuse, type Shown } from './key-refusal.ts';
import type { Peer } from './peer.ts';

export type FindKey = (secret: string, peer: Peer) => Promise<KeyLookup | undefined>;

type Identity = {
  readonly find: () => Promise<readonly KeyTerms[]>;
  /** Resolves when this server has what the others were told so far. */
  readonly catchUp: () => Promise<void>;
  found?: Promise<readonly KeyTerms[]>;
};

const identities = new WeakMap<object, Identity>();
const knownKeys = new WeakMap<object, KeyTerms>();
const publishers = new WeakSet<object>();
/** Whoever has no other neither publishes nor decides anything. */
const readingScopes: ReadonlySet<Scope> = new Set(['read', 'alert']);

/**
 * Makes `principalOf` work for later handlers. Nothing is looked up yet: an open feed also serves requests with a wrong or
 * foreign password. `catchUp` is called before a key is looked up again: what a request knew when it began may be hours old.
 */
export function identify(
  findKey: FindKey,
  slowDown: GuessThrottle,
  catchUp: () => Promise<void> = async () => undefined,
): RequestHandler {
  return (req, _res, next) => {
    identities.set(req, { find: () => findGoodKeys(req, findKey, slowDown), catchUp });
    next();
  };
}

/**
 * The key that a request uses; undefined when it sends none.
 * @throws FeedError KEY_INVALID, KEY_EXPIRED, KEY_REVOKED, KEY_ROTATED, KEY_NETWORK (403), or PASSWORD_... (401: ask again) when
 *   it came as Basic
 */
export async function principalOf(req: Request): Promise<KeyTerms | undefined> {
  return (await validKeysOf(req))[0];
}

/**
 * The key that a request uses, with one of the scopes: for `subject` (an id or a tool) if given. If the request sends several
 * keys, one that has the scope counts (contract section 3); a refusal names the first scope. `client`: whose address it is, where it
 * is one client's.
 * @throws FeedError as `principalOf` and `requireScope`, KEY_CLIENTS
 */
export async function principalWith(
  req: Request,
  [wanted, ...lesser]: readonly [Scope, ...Scope[]],
  subject?: string,
  client?: string,
): Promise<KeyTerms> {
  const keys = await validKeysOf(req);
  let other: KeyTerms | undefined;
  for (const scope of [wanted, ...lesser]) {
    const able = keys.filter((one) => allows(one, scope, subject));
    const key = able.find((one) => isForClient(one, client));
    if (key !== undefined) return key;
    other ??= able[0];
  }
  if (other !== undefined) fail('KEY_CLIENTS', { client: client ?? '', clients: other.clients.join(', ') });
  return requireScope(keys[0], wanted, subject);
}

/** Whether one of the keys of a request has one of these scopes for one of these ids. */
export async function mayAsk(
  req: Request,
  scopes: readonly Scope[],
  subjects: readonly string[],
): Promise<boolean> {
  const keys = await validKeysOf(req);
  return keys.some((key) => scopes.some((scope) => subjects.some((subject) => allows(key, scope, subject))));
}

/** Whether one of the keys of a request may read as this client. */
export async function mayReadAs(req: Request, client: string): Promise<boolean> {
  return (await validKeysOf(req)).some((key) => allows(key, 'read') && isForClient(key, client));
}

/** Whether a key may read at the addresses of a client; at those for everybody, any may. */
function isForClient({ clients }: KeyTerms, client: string | undefined): boolean {
  if (client === undefined || clients.length === 0) return true;
  const id = client.toLowerCase();
  return clients.some((glob) => matchesGlob(glob.toLowerCase(), id));
}

/**
 * Looks the principal's key up again, since it may have become invalid during an upload of hours. Call it before the upload is
 * stored.
 * @throws FeedError as `principalOf`, COPY_BEHIND
 */
export async function requireSameKey(req: Request, { keyId }: Principal): Promise<void> {
  const keys = await findAgain(req);
  if (!keys.some((key) => key.keyId === keyId)) fail('KEY_INVALID', { advice: adviceFor(req) });
}

/**
 * Belongs behind whatever reads a body: the keys count as they are now, not as they were when the body began, since a client can
 * leave out the last byte for as long as it likes.
 * @throws FeedError as `principalOf`, COPY_BEHIND
 */
export async function lookUpKeysAgain(req: Request): Promise<void> {
  const identity = identityOf(req);
  identity.found = findAgain(req);
  await identity.found;
}

async function findAgain(req: Request): Promise<readonly KeyTerms[]> {
  const { catchUp, find } = identityOf(req);
  await catchUp();
  return find();
}

/** Looked up once per request, and once more after its body. */
function validKeysOf(req: Request): Promise<readonly KeyTerms[]> {
  const identity = identityOf(req);
  identity.found ??= identity.find();
  return identity.found;
}

function identityOf(req: Request): Identity {
  return identities.get(req) ?? missing();
}

function missing(): never {
  throw new Error('identify() is missing before this route');
}

/** Whether the request has a key that is enough for reading where that needs one; a wrong key does not count as guessing here. */
export async function canRead(
  req: Pick<IncomingMessage, 'headers'>,
  peer: Peer,
  subject: string | undefined,
  findKey: FindKey,
  client?: string,
): Promise<boolean> {
  return validKeys(await lookUp(req, peer, findKey)).some(
    (key) => allows(key, 'read', subject) && isForClient(key, client),
  );
}

/** The key of a request whose whole secret was sent, accepted or refused, for the log. */
export function keyOf(req: object): Pick<KeyTerms, 'keyId' | 'name'> | undefined {
  return knownKeys.get(req);
}

export function keyNameOf(req: object): string | undefined {
  return knownKeys.get(req)?.name;
}

/** Whether a request came with a valid key of somebody who publishes: as far as any route looked at its keys. */
export function isFromPublisher(req: object): boolean {
  return publishers.has(req);
}

/**
 * Returns the principal if it has the scope: for `subject` (an id or a tool) if given.
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

async function lookUp(
  req: Pick<IncomingMessage, 'headers'>,
  peer: Peer,
  findKey: FindKey,
): Promise<readonly Shown[]> {
  const shown: Shown[] = [];
  for (const credentials of readCredentials(req.headers)) {
    const finding = await findReading(credentials.readings, peer, findKey);
    shown.push({ credentials, finding });
  }
  if (validKeys(shown).some(({ scopes }) => scopes.some((scope) => !readingScopes.has(scope)))) {
    publishers.add(req);
  }
  const [known] = [...validKeys(shown), ...shown.flatMap(({ finding }) => finding?.key ?? [])];
  if (known !== undefined) knownKeys.set(req, known);
  return shown;
}

async function findReading(
  readings: readonly string[],
  peer: Peer,
  findKey: FindKey,
): Promise<KeyLookup | undefined> {
  for (const reading of readings) {
    const finding = await findKey(reading, peer);
    if (finding !== undefined) return finding;
  }
  return undefined;
}

function validKeys(shown: readonly Shown[]): readonly KeyTerms[] {
  return shown.flatMap(({ finding }) =>
    finding !== undefined && finding.refusal === undefined ? [finding.key] : [],
  );
}

async function findGoodKeys(
  req: Request,
  findKey: FindKey,
  slowDown: GuessThrottle,
): Promise<readonly KeyTerms[]> {
  const peer = { address: req.ip, isSecure: req.secure };
  const shown = await lookUp(req, peer, findKey);
  const good = validKeys(shown);
  // Only whoever sends the whole secret learns what is wrong with it; for all others it is unknown.
  const refused = shown.find(({ finding }) => finding !== undefined) ?? shown[0];
  if (good.length > 0 || refused === undefined) return good;
  const guesses = shown.filter(({ finding }) => finding === undefined);
  const delays = guesses.map(
    ({
      credentials: {
        user,
        readings: [secret = ''],
      },
    }) => slowDown.failed({ from: req.ip, user, secret }),
  );
  await holdBack(Math.max(0, ...delays));
  return refuse(refused, req);
}
