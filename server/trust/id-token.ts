import { createHash, createPublicKey } from 'node:crypto';
import { compactVerify, errors } from 'jose';
import * as z from 'zod';
import { FormatError } from '../../formats/format-error.ts';
import { readJson } from '../../formats/json.ts';
import type { IssuerKey } from './issuer-keys.ts';

/** GitHub's and GitLab's have 2 KB. */
export const maxTokenBytes = 12 * 1024;

/**
 * `crit` names what a reader must understand, and here nothing is: it must not be there (RFC 7515 section 4.1.11). Keys that a token
 * brings itself (`jwk`, `jku`, `x5c`) are not looked at.
 */
const Header = z.looseObject({
  alg: z.string(),
  kid: z.string(),
  typ: z.string().regex(/^jwt$/i).optional(),
  crit: z.undefined().optional(),
});

/** Seconds since 1970 (RFC 7519 section 2), up to the year 9999. */
const Seconds = z.number().min(0).max(253_402_300_799);

const Claims = z.looseObject({
  iss: z.string().min(1),
  sub: z.string().min(1),
  aud: z.union([z.string(), z.array(z.string())]),
  exp: Seconds,
  iat: Seconds,
  nbf: Seconds.optional(),
  jti: z.string().min(1).optional(),
});
export type Claims = z.infer<typeof Claims>;

/** A JSON Web Token (RFC 7519) in the compact form; nothing of it is proven yet. */
export type IdToken = {
  readonly text: string;
  readonly alg: string;
  readonly kid: string;
  readonly claims: Claims;
};

/** Undefined for anything else. Two claims of one name are none, so that no two readers take different ones (RFC 7519 section 4). */
export function readIdToken(text: string): IdToken | undefined {
  if (text.length > maxTokenBytes) return undefined;
  const [, head, body] = /^([\w-]+)\.([\w-]+)\.[\w-]+$/.exec(text) ?? [];
  const header = Header.safeParse(jsonIn(head));
  const claims = Claims.safeParse(jsonIn(body));
  if (!header.success || !claims.success) return undefined;
  return { text, alg: header.data.alg, kid: header.data.kid, claims: claims.data };
}

/** The one of the issuer's keys that has signed it, in a way that this key is for. */
export async function signerOf(
  { text, alg, kid }: IdToken,
  keys: readonly IssuerKey[],
): Promise<IssuerKey | undefined> {
  const key = keys.find((one) => one.kid === kid);
  if (!key?.algorithms.includes(alg)) return undefined;
  try {
    await compactVerify(text, createPublicKey({ key: key.jwk, format: 'jwk' }), { algorithms: [alg] });
    return key;
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}

/**
 * Equal for tokens that count as one: by issuer and `jti`, else by all that is signed. Not by the whole text: a signature can be written
 * in several ways that are all right.
 */
export function fingerprintOf({ text, claims: { iss, jti } }: IdToken): Buffer {
  const unique = jti === undefined ? ['signed', text.slice(0, text.lastIndexOf('.'))] : ['jti', jti];
  return createHash('sha256')
    .update(JSON.stringify([iss, ...unique]))
    .digest();
}

function jsonIn(part = ''): unknown {
  try {
    return readJson(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(part, 'base64url')));
  } catch (error) {
    // No UTF-8, no JSON, a name twice, too deep.
    if (error instanceof FormatError || error instanceof TypeError) return undefined;
    throw error;
  }
}
