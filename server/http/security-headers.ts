import type { RequestHandler } from 'express';

const always: readonly string[] = [
  'X-Content-Type-Options',
  'nosniff',
  'Content-Security-Policy',
  "default-src 'none'; frame-ancestors 'none'",
  'X-Frame-Options',
  'DENY',
  'Referrer-Policy',
  'no-referrer',
  'Cross-Origin-Resource-Policy',
  'same-origin',
];

/** Of pages, those of errors too: our own stylesheet, no script. */
export const pagePolicy =
  "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/**
 * For every answer; pages set their own Content-Security-Policy over this one. Name, value, name, value ... Under TLS of
 * our own browsers are told to stay with it for a year; a proxy with TLS says so itself, where it is meant.
 */
export function securityHeaderList(hasTls: boolean): readonly string[] {
  return hasTls ? [...always, 'Strict-Transport-Security', 'max-age=31536000'] : always;
}

export function setSecurityHeaders(list: readonly string[]): RequestHandler {
  return (_req, res, next) => {
    for (let at = 0; at < list.length; at += 2) {
      res.setHeader(list[at] ?? '', list[at + 1] ?? '');
    }
    next();
  };
}
