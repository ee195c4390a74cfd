import * as z from 'zod';
import { plainLine } from '../../formats/hidden-characters.ts';
import { isNetwork } from '../../formats/ip-address.ts';
import { type KeyRecord, scopes } from './api-keys.ts';
import { isExpiry } from './expiry.ts';
import { expiringDays, keyStates, stateOf } from './key-state.ts';

export const Line = z
  .string()
  .trim()
  .max(100, 'expected at most 100 characters')
  .regex(plainLine, 'expected one line without control characters');

export const Expiry = z
  .string()
  .refine(isExpiry, 'expected a time such as 2027-01-31T00:00:00Z, or how long from now, such as 90d');

export const Ids = z
  .array(z.string().regex(/^[\w.*?-]{1,100}$/, 'expected an id, with * and ? for any text and any character'))
  .max(100);

export const Networks = z
  .array(z.string().refine(isNetwork, 'expected networks such as 10.0.0.0/8, 2001:db8::/32 or 192.0.2.7'))
  .max(100);

/** A new key: body of POST /api/v1/keys, and what `feed:keys add` makes of its flags. */
export const NewKeyJson = z.strictObject({
  name: Line.min(1, 'the name is empty').describe(
    'For people and for the log, such as the name of the pipeline that uses it.',
  ),
  scopes: z
    .array(z.enum(scopes, `expected one of ${scopes.join(', ')}`))
    .min(1)
    .describe('What it may do.'),
  ids: Ids.default([]).describe('Ids and tools it is good for; none means all.'),
  clients: z
    .array(z.string().regex(/^[\w.*?-]{1,64}$/, 'expected a client id, with * and ?'))
    .max(100)
    .default([])
    .describe('Clients whose addresses (/c/ID) it may read where READ_AUTH is set; none means all.'),
  networks: Networks.default([]).describe(
    'Networks it may be used from, as TRUST_PROXY sees the client; none means all.',
  ),
  owner: Line.min(1, 'the owner is empty').optional().describe('Who answers for it: a person or a team.'),
  expires: Expiry.optional().describe('When it ends: RFC 3339, or a duration from now such as 90d.'),
});
export type NewKeyJson = z.infer<typeof NewKeyJson>;

/** Body of POST /api/v1/keys/ID/rotate, and what `feed:keys rotate` makes of its flags. */
export const RotationJson = z.strictObject({
  overlap: Expiry.optional().describe(
    'Until when the old secret works beside the new one; else it ends at once.',
  ),
  expires: Expiry.nullable()
    .optional()
    .describe('Another time for the key, null for none; else it keeps its own.'),
});
export type RotationJson = z.infer<typeof RotationJson>;

/** The key is shown once. */
export const CreatedKeyJson = z.object({ id: z.string(), key: z.string() });
export type CreatedKeyJson = z.infer<typeof CreatedKeyJson>;

/** A key without its secret: an element of GET /api/v1/keys and of `feed:keys list --json`. Times are ISO 8601. */
export const ListedKeyJson = z.object({
  id: z.string(),
  name: z.string(),
  owner: z.string().nullable(),
  scopes: z.array(z.enum(scopes)),
  ids: z.array(z.string()),
  clients: z.array(z.string()),
  networks: z.array(z.string()),
  created: z.iso.datetime(),
  rotated: z.iso.datetime().nullable().describe('When it last got a new secret.'),
  lastUsed: z.iso.datetime().nullable(),
  expires: z.iso.datetime().nullable(),
  revoked: z.iso.datetime().nullable().describe('Revoked keys stay in the list, for the audit log.'),
  publisher: z
    .string()
    .nullable()
    .default(null)
    .describe(
      'The trusted publisher that it was exchanged for; such keys leave the list some days after their end.',
    ),
  state: z.enum(keyStates).describe(`expiring: it ends within ${expiringDays} days.`),
});
export type ListedKeyJson = z.infer<typeof ListedKeyJson>;

export function toListedKey(key: KeyRecord, now: Date): ListedKeyJson {
  return {
    id: key.keyId,
    name: key.name,
    owner: key.owner ?? null,
    scopes: [...key.scopes],
    ids: [...key.ids],
    clients: [...key.clients],
    networks: [...key.networks],
    created: key.created.toISOString(),
    rotated: key.rotated?.toISOString() ?? null,
    lastUsed: key.lastUsed?.toISOString() ?? null,
    expires: key.expires?.toISOString() ?? null,
    revoked: key.revoked?.toISOString() ?? null,
    publisher: key.publisher ?? null,
    state: stateOf(key, now),
  };
}
