import * as z from 'zod';
import { plainLine } from '../../formats/hidden-characters.ts';
import { type Scope, scopes } from '../keys/api-keys.ts';
import { Expiry, Ids, Line, Networks } from '../keys/key-json.ts';
import { future } from '../keys/new-key.ts';
import { IssuerUrl } from './issuer-json.ts';
import type { NewPublisher, Publisher } from './trust.ts';

type PublisherScope = Exclude<Scope, 'admin' | 'approve'>;

/**
 * Not `admin`, for which a person has to answer, and not `approve`: one job can be several publishers with other owners, and would
 * approve what it has started (contract section 8).
 */
export const publisherScopes = scopes.filter(isPublisherScope);

function isPublisherScope(scope: Scope): scope is PublisherScope {
  return scope !== 'admin' && scope !== 'approve';
}

const Exact = z
  .string()
  .min(1, 'expected a text that is not empty')
  .max(500, 'expected at most 500 characters')
  .regex(plainLine, 'expected one line without control characters');

/** Those that are compared, or read, in any case. */
const registered = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'];

function isClaimName(name: string): boolean {
  return /^[A-Za-z][\w.:/-]{0,99}$/.test(name) && !registered.includes(name);
}

/** A new trusted publisher: body of POST /api/v1/publishers, and what `feed:keys trust add` makes of its flags. */
export const NewPublisherJson = z.strictObject({
  name: Line.min(1, 'the name is empty')
    .max(60, 'expected a name of at most 60 characters')
    .describe('For people and for the log. Its keys are named after it and the run: NAME run 123456.'),
  issuer: IssuerUrl.describe('Who signs the tokens: the claim iss, exactly.'),
  audience: Exact.optional().describe('The only one in the claim aud, exactly; else PUBLIC_URL.'),
  subject: Exact.refine(
    (subject) => !/[*?]/.test(subject),
    'expected an exact subject, without * and ?: it is never a pattern',
  ).describe('The claim sub, exactly: repo:acme/tools:environment:release.'),
  claims: z
    .record(z.string(), Exact)
    .refine(
      (claims) => Object.keys(claims).every(isClaimName),
      `expected names of claims such as repository_id, and others than ${registered.join(', ')}`,
    )
    .refine((claims) => Object.keys(claims).length <= 20, 'expected at most 20 claims')
    .default({})
    .describe('Further claims, exactly, such as repository_id.'),
  scopes: z
    .array(z.enum(publisherScopes, `expected one of ${publisherScopes.join(', ')}`))
    .min(1)
    .describe('What its keys may do.'),
  ids: Ids.default([]).describe('Ids and tools that its keys are good for; none means all.'),
  networks: Networks.default([]).describe(
    'Networks that tokens and keys may come from, as TRUST_PROXY sees the client; none means all.',
  ),
  owner: Line.min(1, 'the owner is empty').optional().describe('Who answers for it: a person or a team.'),
  expires: Expiry.optional().describe('When it ends: RFC 3339, or a duration from now such as 365d.'),
});
export type NewPublisherJson = z.infer<typeof NewPublisherJson>;

export const AddedPublisherJson = z.object({ id: z.string() });

/** An element of GET /api/v1/publishers and of `feed:keys trust list --json`. */
export const PublisherJson = z.object({
  id: z.string(),
  name: z.string(),
  issuer: z.string(),
  audience: z.string(),
  subject: z.string(),
  claims: z.record(z.string(), z.string()),
  scopes: z.array(z.enum(publisherScopes)),
  ids: z.array(z.string()),
  networks: z.array(z.string()),
  owner: z.string().nullable(),
  created: z.iso.datetime(),
  expires: z.iso.datetime().nullable(),
});
export type PublisherJson = z.infer<typeof PublisherJson>;

/** @throws FeedError PUBLISHER_UNUSABLE */
export function toNewPublisher(json: NewPublisherJson, publicUrl: string, now: Date): NewPublisher {
  const { audience = publicUrl, claims, owner, expires, ...rest } = json;
  return {
    ...rest,
    audience,
    claims: Object.entries(claims),
    owner,
    expires: expires === undefined ? undefined : future(expires, 'expires', now, 'PUBLISHER_UNUSABLE'),
  };
}

export function toPublisherJson(publisher: Publisher): PublisherJson {
  const { claims, scopes: held, ids, networks, owner, created, expires, ...rest } = publisher;
  return {
    ...rest,
    claims: Object.fromEntries(claims),
    scopes: held.filter(isPublisherScope),
    ids: [...ids],
    networks: [...networks],
    owner: owner ?? null,
    created: created.toISOString(),
    expires: expires?.toISOString() ?? null,
  };
}

/** All that it says, in one line for the audit log. */
export function describePublisher(publisher: NewPublisher): string {
  const { name, issuer, audience, subject, claims, scopes: held, ids, networks, owner, expires } = publisher;
  return [
    ...[name, `issuer ${issuer}`, `audience ${audience}`, `subject ${JSON.stringify(subject)}`],
    ...claims.map(([claim, value]) => `${claim} ${JSON.stringify(value)}`),
    held.join(' '),
    ...(ids.length === 0 ? [] : [`ids ${ids.join(' ')}`]),
    ...(networks.length === 0 ? [] : [`networks ${networks.join(' ')}`]),
    ...(owner === undefined ? [] : [`owner ${owner}`]),
    ...(expires === undefined ? [] : [`expires ${expires.toISOString()}`]),
  ].join(', ');
}
