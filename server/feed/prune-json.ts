import * as z from 'zod';
import { readDuration } from '../../formats/duration.ts';
import { inOneLine } from '../audit/reason.ts';
import type { PruneOrder } from './prune.ts';
import { keepers } from './prune-plan.ts';

/** Body of POST /api/v1/prunes, and what `feed:prune` makes of its flags. */
export const NewPrune = z.strictObject({
  betas: z.int().min(1).max(10_000).describe('So many of the newest betas of each package and tool stay.'),
  olderThan: z
    .string()
    .refine((text) => readDuration(text) !== undefined, 'expected a time such as 90d or 12h')
    .describe('Younger ones stay: `90d`, `12h`.'),
  ids: z
    .array(z.string().regex(/^[\w.*?-]{1,100}$/, 'expected ids, with * and ? for any text and any character'))
    .max(100)
    .default([])
    .describe('Globs over package ids and tools; none means all.'),
  reason: z
    .string()
    .optional()
    .describe('Why, for the audit log, after the rule: one line, cut after 500 characters.'),
  dryRun: z.boolean().default(false).describe('Tells what would go, and changes nothing.'),
});
export type NewPrune = z.infer<typeof NewPrune>;

/** Answer of POST /api/v1/prunes. */
export const PruneReport = z.object({
  versions: z
    .array(z.object({ id: z.string(), version: z.string(), bytes: z.int() }))
    .readonly()
    .describe('What goes: at most 1,000 are named.'),
  count: z.int().describe('How many go.'),
  bytes: z.int().describe('About how many bytes that frees.'),
  kept: z
    .record(z.enum(keepers), z.int())
    .readonly()
    .describe(
      'How many betas stay, by the first reason that there is: a branch of the bucket or a rollout names it, a promotion of it was cut off, a correction has its bytes, it is one of the newest, or young.',
    ),
  isDone: z.boolean().describe('False: there is more to remove; ask again.'),
  isWaiting: z
    .boolean()
    .describe('The bytes are still on the disk, as after a purge; they go once nothing reads them any more.'),
});

/** Each audit entry has the rule, since nobody named the versions. */
export function toPruneOrder({ betas, olderThan, ids, reason }: NewPrune): PruneOrder {
  const rule = `older than ${olderThan}, and not one of the newest ${betas} betas`;
  const said = reason === undefined ? rule : `${rule}: ${reason}`;
  return { betas, olderThan: readDuration(olderThan) ?? 0, ids, reason: inOneLine(said) ?? rule };
}
