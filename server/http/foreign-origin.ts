import type { Request, RequestHandler } from 'express';
import { fail } from '../errors.ts';

/**
 * Refuses changes that come from a page of another site: a browser would add the password that its user once typed for this
 * server. Clients other than browsers send neither header, and pass.
 */
export function refuseForeignOrigin(publicUrl: () => string): RequestHandler {
  return (req, _res, next) => {
    if (['GET', 'HEAD', 'OPTIONS'].includes(req.method)) return next();
    const { origin, 'sec-fetch-site': site } = req.headers;
    const isForeign = origin !== undefined && !isOwn(origin, req, publicUrl());
    if (isForeign || /\bcross-site\b/i.test(String(site))) {
      fail('ORIGIN_FOREIGN', { origin: (origin ?? 'another site').slice(0, 200) });
    }
    next();
  };
}

/** By PUBLIC_URL, or by the address at which the page itself was reached. */
function isOwn(origin: string, req: Request, publicUrl: string): boolean {
  const own = [publicUrl, `${req.protocol}://${req.host}`];
  return own.some((url) => URL.canParse(url) && new URL(url).origin === origin.toLowerCase());
}
