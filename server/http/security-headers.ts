import type { RequestHandler } from 'express';

/** For every answer; pages set their own Content-Security-Policy over this one. Name, value, name, value ... */
export const securityHeaderList: readonly string[] = [
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

export const securityHeaders: RequestHandler = (_req, res, next) => {
  for (let at = 0; at < securityHeaderList.length; at += 2) {
    res.setHeader(securityHeaderList[at] ?? '', securityHeaderList[at + 1] ?? '');
  }
  next();
};
