import { Router } from 'express';
import { principalOf, requireScope } from '../http/auth.ts';
import { readGitAddress } from './address.ts';
import type { Bucket } from './bucket.ts';

export type BucketServices = { readonly bucket: Pick<Bucket, 'serve'>; readonly publicUrl: () => string };

/**
 * The bucket for git and Scoop: /git/main/go-win-tools.git and /git/beta/go-win-tools.git. Reading is as open as
 * READ_AUTH makes it; a push needs a key from its first request on, so that git asks for one before it sends anything.
 */
export function createBucketRouter({ bucket, publicUrl }: BucketServices): Router {
  const router = Router({ caseSensitive: true });
  router.use(async (req, res, next) => {
    if (!req.path.startsWith('/git/')) {
      next();
      return;
    }
    const address = readGitAddress(req.method, req.path, req.query.service, publicUrl());
    const pusher = address.access === 'write' ? requireScope(await principalOf(req), 'push:beta') : undefined;
    await bucket.serve(address, req, res, pusher);
  });
  return router;
}
