import { createPublicKey, type JsonWebKey } from 'node:crypto';
import * as z from 'zod';
import { visible } from '../../formats/format-error.ts';
import { jsonOf } from '../../formats/json.ts';
import { fail } from '../errors.ts';

/** A public key that may sign tokens. */
export type IssuerKey = {
  readonly kid: string;
  /** What it may sign with (RFC 7518 section 3.1, RFC 8037). */
  readonly algorithms: readonly string[];
  /** Its public members. */
  readonly jwk: JsonWebKey;
};

export type KeySet = {
  readonly keys: readonly IssuerKey[];
  /** Why keys of the set are not used. */
  readonly skipped: readonly string[];
};

/** GitHub's has 4 keys and 7 KB, with the certificates in it. */
export const maxKeySetBytes = 48 * 1024;
const maxKeys = 50;
const minRsaBits = 2048;
/** FIPS 186-5 section A.1.1. With 1 a signature needs no private key. */
const minExponent = 65_537n;

/** A private key in a set of public ones must not be stored, nor go unnoticed. */
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth'];

const Jwk = z.looseObject({
  kty: z.string(),
  kid: z.string().min(1).max(300).optional(),
  alg: z.string().optional(),
  use: z.string().optional(),
  key_ops: z.array(z.string()).optional(),
});
type Jwk = z.infer<typeof Jwk>;
const JwkSet = z.looseObject({ keys: z.array(Jwk).max(maxKeys) });

/** What signs with each kind of key. No HMAC: whoever can check such a token can make one. */
const kinds: Readonly<
  Record<string, { readonly members: readonly string[]; readonly algorithms: readonly string[] }>
> = {
  RSA: { members: ['n', 'e'], algorithms: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] },
  'P-256': { members: ['crv', 'x', 'y'], algorithms: ['ES256'] },
  'P-384': { members: ['crv', 'x', 'y'], algorithms: ['ES384'] },
  'P-521': { members: ['crv', 'x', 'y'], algorithms: ['ES512'] },
  Ed25519: { members: ['crv', 'x'], algorithms: ['EdDSA', 'Ed25519'] },
};

/**
 * Reads a JWK Set (RFC 7517). Keys for something else are skipped, with the reason.
 * @throws FeedError ISSUER_UNUSABLE when it is none, has no key that can be used, or has a secret in it
 */
export function readKeySet(text: string): KeySet {
  if (Buffer.byteLength(text) > maxKeySetBytes) unusable(`expected at most ${maxKeySetBytes} bytes`);
  const set = JwkSet.safeParse(jsonOf(text));
  if (!set.success) return unusable(`expected a JWK Set, {"keys": [...]}, with at most ${maxKeys} keys`);
  const keys = new Map<string, IssuerKey>();
  const skipped: string[] = [];
  for (const [at, jwk] of set.data.keys.entries()) {
    const name = jwk.kid === undefined ? `number ${at + 1}` : visible(jwk.kid, 80);
    if (secretMembers.some((member) => member in jwk) && jwk.kty !== 'oct')
      unusable(`the key ${name} is a private one; give the public keys alone`);
    const key = usable(jwk);
    if (typeof key === 'string') skipped.push(`the key ${name}: ${key}`);
    else if (keys.has(key.kid)) unusable(`two keys have the id ${name}`);
    else keys.set(key.kid, key);
  }
  if (keys.size === 0)
    unusable(`there is none that can sign tokens${skipped.length > 0 ? `: ${skipped.join('; ')}` : ''}`);
  return { keys: [...keys.values()], skipped };
}

/** Keys that were stored; those that today's rules refuse are left out, so that what is stored can always be shown and removed. */
export function readStoredKeys(text: string): readonly IssuerKey[] {
  const set = JwkSet.safeParse(jsonOf(text));
  const keys = set.success ? set.data.keys.map(usable) : [];
  return keys.filter((key) => typeof key !== 'string');
}

/** The keys as a JWK Set that `readKeySet` reads as the same keys. */
export function writeKeySet(keys: readonly IssuerKey[]): string {
  return JSON.stringify({ keys: keys.map(({ jwk }) => jwk) });
}

/** The key, or why it is not used. */
function usable(jwk: Jwk): IssuerKey | string {
  const { kty, kid, alg, use, key_ops: operations } = jwk;
  const kindName = kty === 'RSA' ? 'RSA' : String(jwk.crv);
  const kind = Object.hasOwn(kinds, kindName) ? kinds[kindName] : undefined;
  const isKind =
    kty === 'RSA' || (kty === 'EC' && jwk.crv !== 'Ed25519') || (kty === 'OKP' && jwk.crv === 'Ed25519');
  if (kind === undefined || !isKind) return `its kind is ${visible(`${kty} ${jwk.crv ?? ''}`, 40).trim()}`;
  if (kid === undefined) return 'it has no id (kid)';
  // Ids are shown in terminals and written into the audit log, separated by blanks.
  if (!/^[\x21-\x7e]+$/.test(kid)) return 'its id (kid) has other characters than visible ASCII';
  if (use !== undefined && use !== 'sig') return 'it is not for signatures (use)';
  if (operations !== undefined && !operations.includes('verify')) return 'it is not for signatures (key_ops)';
  const algorithms = kind.algorithms.filter((one) => alg === undefined || alg === one);
  if (algorithms.length === 0) return `it cannot be used with ${visible(alg ?? '', 40)}`;
  const members = kind.members.map((member) => [member, jwk[member]]);
  const own = {
    kty,
    kid,
    ...Object.fromEntries(members),
    ...(alg === undefined ? {} : { alg }),
  } as JsonWebKey;
  return faultOf(own) ?? { kid, algorithms, jwk: own };
}

function faultOf(jwk: JsonWebKey): string | undefined {
  try {
    const { asymmetricKeyDetails: details } = createPublicKey({ key: jwk, format: 'jwk' });
    const { modulusLength: bits = minRsaBits, publicExponent: exponent = minExponent } = details ?? {};
    if (bits < minRsaBits) return `it has ${bits} bits; expected at least ${minRsaBits}`;
    if (exponent < minExponent || exponent % 2n === 0n) return `its exponent is ${exponent}`;
    return jwk.crv === 'Ed25519' && isSmallOrder(jwk.x) ? 'anybody can sign for it' : undefined;
  } catch {
    return 'its values are no key';
  }
}

/** Points of Ed25519 for which a signature is right without any private key (libsodium refuses the same): y, the sign left out. */
const smallOrders = new Set([
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  ...['ec', 'ed', 'ee'].map((first) => `${first}${'ff'.repeat(30)}7f`),
]);

function isSmallOrder(x = ''): boolean {
  const point = Buffer.from(x, 'base64url');
  point[31] = (point[31] ?? 0) & 0x7f;
  return smallOrders.has(point.toString('hex'));
}

function unusable(problem: string): never {
  return fail('ISSUER_UNUSABLE', { problem });
}
