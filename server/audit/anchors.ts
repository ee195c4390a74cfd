import * as z from 'zod';
import { jsonOf } from '../../formats/json.ts';
import type { AuditHead } from './audit.ts';

/** What the audit log was at one moment, kept where whoever may rewrite the log cannot reach. */
export const Anchor = z.object({
  time: z.iso.datetime(),
  /** The address that clients use. */
  feed: z.string(),
  /** Hash of the first entry, which tells a feed whose address has changed from another feed. */
  first: z.string().regex(/^[0-9a-f]{64}$/),
  /** The last entry, and its hash. */
  number: z.int().min(1),
  head: z.string().regex(/^[0-9a-f]{64}$/),
});
export type Anchor = z.infer<typeof Anchor>;

/** The log as it is now. */
export type AnchoredLog = {
  /** Undefined: nobody says, and a guess must not make a log that was written anew look like another feed's. */
  readonly feed: string | undefined;
  readonly first: string | undefined;
  readonly head: AuditHead;
  readonly hashAt: (number: number) => string | undefined;
};

export type AnchorProblem = 'other feed' | 'cut off' | 'rewritten';

/** The first anchor that the log does not contain. A chain that is whole up to the last anchor was not changed before it. */
export function findBrokenAnchor(
  anchors: readonly Anchor[],
  log: AnchoredLog,
): { readonly at: number; readonly problem: AnchorProblem } | undefined {
  for (const [at, anchor] of anchors.entries()) {
    const problem = problemOf(anchor, log);
    if (problem !== undefined) return { at, problem };
  }
  return undefined;
}

function problemOf({ feed, first, number, head }: Anchor, log: AnchoredLog): AnchorProblem | undefined {
  if (first !== log.first && log.feed !== undefined && feed !== log.feed) return 'other feed';
  if (log.first !== undefined && first !== log.first) return 'rewritten';
  if (number > log.head.number) return 'cut off';
  return log.hashAt(number) === head ? undefined : 'rewritten';
}

/** Reads a file of anchors, one JSON object per line. Returns the number of the first line that is no anchor, if there is one. */
export function readAnchors(text: string): readonly Anchor[] | number {
  const anchors: Anchor[] = [];
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const read = Anchor.safeParse(jsonOf(line));
    if (!read.success) return at + 1;
    anchors.push(read.data);
  }
  return anchors;
}
