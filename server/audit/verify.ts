import type { AuditEntry, AuditHead } from './audit.ts';
import { hashOf, noHash } from './chain.ts';

/** The first broken link. */
export type BrokenLink = { readonly number: number; readonly at: Date | undefined; readonly problem: string };

export type Verdict = {
  readonly head: AuditHead;
  readonly broken: BrokenLink | undefined;
  /** The number of the entry whose hash was noted. */
  readonly notedAt?: number | undefined;
};

/**
 * Walks the whole audit log, oldest entry first. A log that was rewritten from its beginning, or cut off at its end, is still
 * consistent in itself; only a hash that was noted elsewhere (`noted`: of any earlier entry) reveals that.
 */
export async function verifyChain(entries: AsyncIterable<AuditEntry>, noted?: string): Promise<Verdict> {
  let head: AuditHead = { number: 0, hash: noHash };
  let notedAt: number | undefined;
  for await (const entry of entries) {
    const problem = problemOf(entry, head);
    if (problem !== undefined) return { head, broken: { number: entry.number, at: entry.at, problem } };
    head = { number: entry.number, hash: entry.hash };
    if (entry.hash === noted) notedAt = entry.number;
  }
  const isThere = noted === undefined || notedAt !== undefined;
  return { head, broken: isThere ? undefined : cutOff(head), notedAt };
}

function problemOf(entry: AuditEntry, before: AuditHead): string | undefined {
  const { number, previous, hash } = entry;
  if (number !== before.number + 1) {
    return `entry ${before.number + 1} is missing`;
  }
  if (hash !== hashOf(entry)) {
    return 'its content does not match its hash: it was changed after it was written';
  }
  return previous === before.hash
    ? undefined
    : `it follows an entry with the hash ${previous}, but the one before it has ${before.hash}: that one was replaced`;
}

function cutOff({ number }: AuditHead): BrokenLink {
  return {
    number: number + 1,
    at: undefined,
    problem: 'the head that was noted is in no entry: entries were cut off at the end, or all were rewritten',
  };
}
