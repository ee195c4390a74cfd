import { Router } from 'express';
import { fail } from '../errors.ts';
import { principalOf } from '../http/auth.ts';
import { methodNotAllowed } from '../http/error-handler.ts';
import { allows, scopes } from '../keys/api-keys.ts';
import { readQuery } from './read.ts';
import { type OwnKey, OwnKeyParameters } from './schemas.ts';

/**
 * What the request's own key may do. A pipeline asks before its first upload, so that a wrong key is reported before anything is
 * published.
 */
export function createOwnKeyRouter(): Router {
  const router = Router();
  router
    .route('/key')
    .get(async (req, res) => {
      const key = (await principalOf(req)) ?? fail('KEY_MISSING');
      const { id } = readQuery(OwnKeyParameters, req);
      const own: OwnKey = {
        id: key.keyId,
        name: key.name,
        owner: key.owner ?? null,
        scopes: scopes.filter((scope) => allows(key, scope, id)),
        ids: [...key.ids],
        clients: [...key.clients],
        networks: [...key.networks],
        expires: key.expires?.toISOString() ?? null,
      };
      res.json(own);
    })
    .all(methodNotAllowed('GET, HEAD'));
  return router;
}
