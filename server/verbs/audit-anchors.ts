import { open, readFile } from 'node:fs/promises';
import { fileReason } from '../../formats/file-reason.ts';
import { type Anchor, type AnchorProblem, findBrokenAnchor, readAnchors } from '../audit/anchors.ts';
import type { AuditEntry } from '../audit/audit.ts';
import { verifyChain } from '../audit/verify.ts';
import { fail } from '../errors.ts';
import type { AuditLog } from './audit-log.ts';

/** The log as it is now, to be kept elsewhere. @throws FeedError AUDIT_EMPTY */
export async function anchorOf(auditLog: AuditLog, feed: string): Promise<Anchor> {
  const head = await auditLog.head();
  for await (const { hash: first } of auditLog.entries())
    return { time: new Date().toISOString(), feed, first, number: head.number, head: head.hash };
  return fail('AUDIT_EMPTY');
}

/** Adds a line to a file; it is on the disk, or on the other machine, when it returns. @throws FeedError FILE_UNUSABLE */
export async function appendAnchor(file: string, anchor: Anchor): Promise<void> {
  try {
    const handle = await open(file, 'a+');
    try {
      const { size } = await handle.stat();
      const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1));
      // A line that was cut off must not swallow this one.
      const isCut = size > 0 && buffer[0] !== 0x0a;
      await handle.appendFile(`${isCut ? '\n' : ''}${JSON.stringify(anchor)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    fail('FILE_UNUSABLE', { file, cause: fileReason(error) });
  }
}

/**
 * Walks the whole log and compares it with each anchor of a file.
 * @param feed its address, where somebody said it
 * @throws FeedError AUDIT_BROKEN, ANCHOR_BROKEN, ANCHORS_INVALID, FILE_UNUSABLE
 */
export async function verifyWithAnchors(auditLog: AuditLog, feed: string | undefined, file: string) {
  const anchors = await readFileOfAnchors(file);
  const wanted = new Set(anchors.map(({ number }) => number));
  const hashes = new Map<number, string>();
  async function* noting(): AsyncGenerator<AuditEntry> {
    for await (const entry of auditLog.entries()) {
      if (entry.number === 1 || wanted.has(entry.number)) hashes.set(entry.number, entry.hash);
      yield entry;
    }
  }
  const verdict = await verifyChain(noting());
  const log = {
    feed,
    first: hashes.get(1),
    head: verdict.head,
    hashAt: (number: number) => hashes.get(number),
  };
  // A broken chain ends the walk: what comes after it says nothing.
  const broken = verdict.broken === undefined ? findBrokenAnchor(anchors, log) : undefined;
  if (broken !== undefined) {
    const { time, number } = anchors[broken.at] as Anchor;
    fail('ANCHOR_BROKEN', {
      file,
      number,
      time,
      head: verdict.head.number,
      problem: problems[broken.problem],
    });
  }
  return { ...verdict, anchors: anchors.length };
}

const problems: Readonly<Record<AnchorProblem, string>> = {
  'other feed': 'it is of another feed: its address and its first entry are not those of this one',
  'cut off': 'entries were cut off at the end, or an older backup was restored',
  rewritten:
    'that entry, or one before it, was rewritten, or an older backup was restored and other entries followed',
};

const maxBytes = 64 * 1024 ** 2;

async function readFileOfAnchors(file: string): Promise<readonly Anchor[]> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    return fail('FILE_UNUSABLE', { file, cause: fileReason(error) });
  }
  const anchors = bytes.length > maxBytes ? 1 : readAnchors(bytes.toString('utf8'));
  if (typeof anchors === 'number') return fail('ANCHORS_INVALID', { file, line: anchors });
  return anchors.length > 0 ? anchors : fail('ANCHORS_INVALID', { file, line: 1 });
}
