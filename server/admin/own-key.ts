import { Router } from 'express';
import { fail } from '../errors.ts';
import { methodNotAllowed } from '../http/answer-error.ts';
import { principalOf } from '../http/auth.ts';
import { allows, scopes } from '../keys/api-keys.ts';
import { readQuery } from './read.ts';
import { type OwnKey, OwnKeyParameters } from './schemas.ts';

/**
 * What the key of the request may do. A pipeline asks before its first upload, so that a wrong key is told while nothing is
 * published yet.
 */
export function createOwnKeyRouter(): Router {
  const router = Router();
  router
    .route('/key')
    .get(async (req, res) => {
      const principal = (await principalOf(req)) ?? fail('KEY_MISSING');
      const { id } = readQuery(OwnKeyParameters, req);
      const allowed = scopes.filter((scope) => allows(principal, scope, id));
      res.json({ name: principal.name, scopes: allowed, ids: [...principal.ids] } satisfies OwnKey);
    })
    .all(methodNotAllowed('GET, HEAD'));
  return router;
}
