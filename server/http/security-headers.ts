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

/** For pages, including error pages: only our own stylesheet, no scripts. */
export const pagePolicy =
  "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/**
 * For every answer; pages override its Content-Security-Policy. Name, value, name, value ... With our own TLS, browsers are asked
 * to use only https for a year; a TLS proxy can say so itself.
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
