import type { Request } from 'express';
import { inOneLine } from '../audit/reason.ts';

/**
 * Why something is done, in the words of who does it, for the audit log: the header `X-Reason`, UTF-8 in percent-encoding since a
 * header holds ASCII only. Nothing is refused for it: one that cannot be decoded counts as it stands, and control characters
 * are blanks, so that it stays one line.
 */
export function reasonOf(req: Request): string | undefined {
  return inOneLine(decode(req.get('x-reason') ?? ''));
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
