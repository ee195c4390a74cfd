import {
  constants,
  createHmac,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  randomUUID,
  sign,
} from 'node:crypto';
import { createServer as createPlainServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** A key pair of an issuer; `alg` is what it signs with unless a token says otherwise. */
export type SigningKey = {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: KeyObject;
  readonly jwk: JsonWebKey;
};

export type TokenOptions = {
  readonly key?: SigningKey;
  /** More members of the header, or others; undefined takes one out. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** The text of the claims, in place of them. */
  readonly body?: string;
  /** Signs in another way. */
  readonly signature?: (input: string) => Buffer;
};

export type OidcIssuer = {
  readonly url: string;
  /** Its keys, the first of which signs; a test may change them. */
  readonly keys: SigningKey[];
  /** What its documents say instead of the right thing, by path. */
  readonly answers: Map<
    string,
    { readonly status?: number; readonly body: string; readonly location?: string }
  >;
  /** How often each path was asked for. */
  readonly asked: Map<string, number>;
  keySet(): string;
  /** Signed right now for these claims, with iss, iat, exp and jti where they are missing; undefined takes one out. */
  token(claims: Readonly<Record<string, unknown>>, options?: TokenOptions): string;
  /** As GitHub's runner has it: what ACTIONS_ID_TOKEN_REQUEST_URL and _TOKEN are, for a job with these claims. */
  actionsJob(claims: Readonly<Record<string, unknown>>): Readonly<Record<string, string>>;
  stop(): Promise<void>;
};

const hashOf: Readonly<Record<string, string>> = { 256: 'sha256', 384: 'sha384', 512: 'sha512' };
const curves: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

/** Real keys: RSA with 2048 bits unless said otherwise, the curve of the algorithm, or Ed25519. */
export function makeSigningKey(kid: string, alg = 'RS256', bits = 2048): SigningKey {
  const pair = /^[RP]S/.test(alg)
    ? generateKeyPairSync('rsa', { modulusLength: bits })
    : alg.startsWith('ES')
      ? generateKeyPairSync('ec', { namedCurve: curves[alg] ?? '' })
      : generateKeyPairSync('ed25519');
  const jwk = { ...pair.publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
  return { kid, alg, privateKey: pair.privateKey, jwk };
}

/** A small true issuer of OIDC tokens: discovery, keys and a runner's token endpoint over HTTP, or https with a certificate. */
export async function startOidcIssuer(
  tls?: { readonly cert: string; readonly key: string },
  keys: readonly SigningKey[] = [makeSigningKey('one')],
): Promise<OidcIssuer> {
  const jobs = new Map<string, Readonly<Record<string, unknown>>>();
  const answers: OidcIssuer['answers'] = new Map();
  const asked: OidcIssuer['asked'] = new Map();
  const listener: RequestListener = (req, res) => {
    const { pathname, searchParams } = new URL(req.url ?? '/', issuer.url);
    asked.set(pathname, (asked.get(pathname) ?? 0) + 1);
    const given = answers.get(pathname);
    if (given !== undefined) {
      const headers = given.location === undefined ? {} : { location: given.location };
      res.writeHead(given.status ?? 200, headers).end(given.body);
      return;
    }
    const job = jobs.get(req.headers.authorization?.replace(/^bearer /i, '') ?? '');
    const documents: Readonly<Record<string, () => unknown>> = {
      '/.well-known/openid-configuration': () => ({ issuer: issuer.url, jwks_uri: `${issuer.url}/jwks` }),
      '/jwks': () => JSON.parse(issuer.keySet()),
      '/actions/token': () => job && { value: issuer.token({ ...job, aud: searchParams.get('audience') }) },
    };
    const document = documents[pathname]?.();
    res.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' });
    res.end(document === undefined ? '{}' : JSON.stringify(document));
  };
  const server = tls === undefined ? createPlainServer(listener) : createTlsServer(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const issuer: OidcIssuer = {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    ...{ keys: [...keys], answers, asked },
    keySet: () => JSON.stringify({ keys: issuer.keys.map(({ jwk }) => jwk) }),
    token(claims, { key = issuer.keys[0] as SigningKey, header = {}, body, signature } = {}) {
      const now = Math.floor(Date.now() / 1000);
      const usual = { iss: issuer.url, iat: now, exp: now + 300, jti: randomUUID() };
      const head = { typ: 'JWT', alg: key.alg, kid: key.kid, ...header };
      const parts = [JSON.stringify(head), body ?? JSON.stringify({ ...usual, ...claims })];
      const input = parts.map((part) => Buffer.from(part).toString('base64url')).join('.');
      return `${input}.${(signature ?? ((text) => signed(text, head.alg, key)))(input).toString('base64url')}`;
    },
    actionsJob(claims) {
      const secret = randomUUID();
      jobs.set(secret, claims);
      return {
        GITHUB_ACTIONS: 'true',
        ACTIONS_ID_TOKEN_REQUEST_URL: `${issuer.url}/actions/token?api-version=2.0`,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret,
      };
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return issuer;
}

/** RFC 7518 section 3, RFC 8037. */
function signed(input: string, alg: string, { privateKey }: SigningKey): Buffer {
  const hash = hashOf[alg.slice(2)] ?? null;
  const data = Buffer.from(input);
  if (alg === 'none') return Buffer.alloc(0);
  if (alg.startsWith('HS'))
    return createHmac(hash ?? '', 'secret')
      .update(data)
      .digest();
  if (alg.startsWith('PS')) {
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    return sign(hash, data, { key: privateKey, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
  }
  if (alg.startsWith('ES')) return sign(hash, data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return sign(hash, data, privateKey);
}
