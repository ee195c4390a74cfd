import * as z from 'zod';
import type { RefusalCount } from './refusals.ts';

/** Refusals as programs read them, in GET /api/v1/refusals. Times are ISO 8601. */
export const RefusalJson = z.object({
  number: z.int().describe('Rises over all servers; with gaps.'),
  code: z.string().describe('Of the error, such as KEY_EXPIRED.'),
  route: z.string().describe('The part of the address space, as in the log.'),
  keyId: z.string().optional().describe('Where the whole secret of a key was sent.'),
  keyName: z.string().optional(),
  from: z
    .string()
    .optional()
    .describe(
      'Address of the client, of IPv6 its /64; absent once too many addresses were refused in a minute.',
    ),
  count: z.int(),
  first: z.iso.datetime(),
  last: z.iso.datetime(),
});
export type RefusalJson = z.infer<typeof RefusalJson>;

export function toRefusalJson({ first, last, ...rest }: RefusalCount): RefusalJson {
  return { ...rest, first: first.toISOString(), last: last.toISOString() };
}
