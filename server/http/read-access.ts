import type { Request, RequestHandler } from 'express';
import { FeedError } from '../errors.ts';
import { areaOf, clientOf, subjectOf } from './areas.ts';
import { mayAsk, principalWith } from './auth.ts';

export type ReadAuth = 'feed' | 'all' | undefined;

const covered: Readonly<Record<'feed' | 'all', readonly string[]>> = { feed: ['feed'], all: ['feed', 'all'] };

/**
 * READ_AUTH (contract section 2): in the areas that it covers, reading needs a key with the scope `read`. Every request counts as
 * reading unless its own route requires a stronger key, so a new route is covered from the start.
 */
export function requireReadAccess(readAuth: ReadAuth): RequestHandler {
  return async (req, _res, next) => {
    if (needsKey(readAuth, req.path) && !isWriting(req)) {
      await principalWith(req, ['read'], subjectOf(req.path), clientOf(req.path));
    }
    next();
  };
}

/**
 * Whether the answer to a request may name the version of a rollout: where READ_AUTH is set, with a key that may read it. Where the
 * answer only shows less without one, a refused key counts as none.
 */
export async function mayNameVersion(
  readAuth: ReadAuth,
  req: Request,
  { tool, packageId }: { readonly tool: string; readonly packageId: string },
): Promise<boolean> {
  if (readAuth === undefined) return true;
  return mayAsk(req, ['read'], [tool, packageId]).catch((error: unknown) => {
    if (error instanceof FeedError) return false;
    throw error;
  });
}

/** Whether READ_AUTH covers the path. */
export function needsKey(readAuth: ReadAuth, path: string): boolean {
  return readAuth !== undefined && covered[readAuth].includes(areaOf(path).readAuth);
}

function isWriting(req: Request): boolean {
  return (
    ['PUT', 'DELETE'].includes(req.method) ||
    (req.method === 'POST' &&
      /^\/(api\/v1\/|rollouts\/[^/]+\/(halt|resume|client)\/?$|(nuget|api\/v2)\/(package\/)?[^/]+\/[^/]+\/?$|v3\/publish\/)/i.test(
        req.path,
      )) ||
    (req.method === 'POST' && /\/git-receive-pack$/.test(req.path)) ||
    (req.method === 'GET' &&
      /^\/git\/.*\/info\/refs$/.test(req.path) &&
      req.query.service === 'git-receive-pack')
  );
}
