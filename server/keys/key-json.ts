import { z } from 'zod';
import { type KeyRecord, scopes } from './api-keys.ts';

/** A key that is wanted: body of POST /api/v1/keys, and what `feed:keys add` makes of its flags. */
export const NewKeyJson = z.strictObject({
  name: z
    .string()
    .trim()
    .min(1, 'the name is empty')
    .max(100, 'the name has more than 100 characters')
    .regex(/^\P{Cc}*$/u, 'expected one line without control characters')
    .describe('For people and for the log, such as the name of the pipeline that uses it.'),
  scopes: z.array(z.enum(scopes)).min(1).describe('What it may do.'),
  ids: z
    .array(
      z.string().regex(/^[\w.*?-]{1,100}$/, 'expected an id, with * and ? for any text and any character'),
    )
    .max(100)
    .default([])
    .describe('Ids and tools it is good for; none means all.'),
});

/** The key is shown once. */
export const CreatedKeyJson = z.object({ id: z.string(), key: z.string() });
export type CreatedKeyJson = z.infer<typeof CreatedKeyJson>;

/** A key without what is secret: an element of GET /api/v1/keys and of `feed:keys list --json`. Times are ISO 8601. */
export const ListedKeyJson = z.object({
  id: z.string(),
  name: z.string(),
  scopes: z.array(z.enum(scopes)),
  ids: z.array(z.string()),
  created: z.iso.datetime(),
  lastUsed: z.iso.datetime().nullable(),
  revoked: z.iso.datetime().nullable().describe('Revoked keys stay in the list, for the trail.'),
});
export type ListedKeyJson = z.infer<typeof ListedKeyJson>;

export function toListedKey(key: KeyRecord): ListedKeyJson {
  return {
    id: key.keyId,
    name: key.name,
    scopes: [...key.scopes],
    ids: [...key.ids],
    created: key.created.toISOString(),
    lastUsed: key.lastUsed?.toISOString() ?? null,
    revoked: key.revoked?.toISOString() ?? null,
  };
}
