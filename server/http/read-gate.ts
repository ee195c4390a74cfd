import type { Request, RequestHandler } from 'express';
import { areaOf, subjectOf } from './areas.ts';
import { principalOf, requireScope } from './auth.ts';

/**
 * READ_AUTH (contract section 2): in the areas it covers, reading needs a key with the scope `read`. Everything counts
 * as reading but what its own door asks a stronger key for; so a new door is covered before anybody thinks of it.
 */
export function createReadGate(readAuth: 'feed' | 'all' | undefined): RequestHandler {
  const covered: readonly string[] = { none: [], feed: ['feed'], all: ['feed', 'all'] }[readAuth ?? 'none'];
  return async (req, _res, next) => {
    if (covered.includes(areaOf(req.path).readAuth) && !isWriting(req)) {
      requireScope(await principalOf(req), 'read', subjectOf(req.path));
    }
    next();
  };
}

function isWriting(req: Request): boolean {
  return (
    ['PUT', 'DELETE'].includes(req.method) ||
    (req.method === 'POST' &&
      /^\/(api\/v1\/|(nuget|api\/v2)\/(package\/)?[^/]+\/[^/]+\/?$|v3\/publish\/)/i.test(req.path)) ||
    (req.method === 'POST' && /\/git-receive-pack$/.test(req.path)) ||
    (req.method === 'GET' &&
      /^\/git\/.*\/info\/refs$/.test(req.path) &&
      req.query.service === 'git-receive-pack')
  );
}
