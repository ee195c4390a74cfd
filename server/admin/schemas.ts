import { z } from 'zod';
import { scopes } from '../keys/api-keys.ts';

/** Body of POST /api/v1/keys. */
export const NewKeyBody = z.strictObject({
  name: z
    .string()
    .trim()
    .min(1)
    .max(100)
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
export type NewKeyBody = z.infer<typeof NewKeyBody>;

export const CreatedKey = z.object({ id: z.string(), key: z.string() });
export type CreatedKey = z.infer<typeof CreatedKey>;

/** One element of GET /api/v1/keys; times are ISO 8601. */
export const ListedKey = z.object({
  id: z.string(),
  name: z.string(),
  scopes: z.array(z.enum(scopes)),
  ids: z.array(z.string()),
  created: z.iso.datetime(),
  lastUsed: z.iso.datetime().nullable(),
  /** Revoked keys stay in the list, for the trail. */
  revoked: z.iso.datetime().nullable(),
});
export type ListedKey = z.infer<typeof ListedKey>;

/** GET /api/v1/server: what the generator writes into manifests, it asks here. */
export const ServerInfo = z.object({
  name: z.literal('go-win-tools'),
  version: z.string(),
  publicUrl: z.url(),
  feedUrl: z.url(),
  payloadUrl: z.url(),
  bucketUrls: z.object({ main: z.url(), beta: z.url() }),
});
export type ServerInfo = z.infer<typeof ServerInfo>;
