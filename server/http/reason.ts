import type { Request } from 'express';

const maxLength = 500;

/**
 * Why something is done, in the words of who does it, for the trail: the header `X-Reason`, UTF-8 in percent-encoding since a
 * header holds ASCII only. Nothing is refused for it: one that cannot be decoded counts as it stands, and control characters
 * are blanks, so that it stays one line.
 */
export function reasonOf(req: Request): string | undefined {
  const text = decode(req.get('x-reason') ?? '')
    .replace(/\p{Cc}+/gu, ' ')
    .trim();
  return text === '' ? undefined : [...text].slice(0, maxLength).join('');
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
