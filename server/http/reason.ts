import type { Request } from 'express';
import { inOneLine } from '../audit/reason.ts';

/**
 * The user's reason for a change, for the audit log: the header `X-Reason`, UTF-8 in percent-encoding since a header is ASCII
 * only. It never causes a refusal: an invalid encoding is kept as it is, and control characters become blanks, so that it stays
 * one line.
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
