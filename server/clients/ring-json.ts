import * as z from 'zod';

/** A client id (contract section 9) with `*` for any text and `?` for any character. */
const Glob = z
  .string()
  .regex(
    /^[A-Za-z0-9._*?-]{1,64}$/,
    'expected client ids of letters, digits, dots, dashes and underscores, with * for any text and ? for any character',
  )
  .transform((glob) => glob.toLowerCase());

/** A ring as programs write and read it: body of POST /api/v1/rings, element of GET, and what `feed:rings set` makes of its arguments. */
export const RingJson = z.strictObject({
  name: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9._-]{0,63}$/,
      'expected a name of small letters, digits, dots, dashes and underscores that begins with a letter or digit',
    )
    .describe('As steps of rollouts name it.'),
  globs: z
    .array(Glob)
    .min(1, 'expected at least one client id')
    .max(500, 'expected at most 500 client ids')
    .describe('Client ids, with * for any text and ? for any character; kept in lower case.'),
});
export type RingJson = z.infer<typeof RingJson>;
