import express, { type Router } from 'express';
import { fail } from '../errors.ts';
import { methodNotAllowed } from '../http/answer-error.ts';
import { type CreatedKeyJson, type ListedKeyJson, NewKeyJson, toListedKey } from '../keys/key-json.ts';
import type { Keys } from '../keys/keys.ts';
import type { Logger } from '../log.ts';
import { administratorOf, maxBodyBytes, readBody } from './read.ts';

export type KeyServices = { readonly keys: Keys; readonly log: Logger };

/** Keys; `admin` was asked for before. */
export function createKeyRouter({ keys, log }: KeyServices): Router {
  const router = express.Router();
  router
    .route('/keys')
    .get(async (_req, res) => {
      const listed: ListedKeyJson[] = (await keys.list()).map(toListedKey);
      res.json(listed);
    })
    .post(express.json({ limit: maxBodyBytes }), async (req, res) => {
      const wanted = readBody(NewKeyJson, req);
      const created: CreatedKeyJson = await keys.create(wanted, await administratorOf(req));
      log.info({ keyId: created.id, keyName: wanted.name, scopes: wanted.scopes }, 'key created');
      res.status(201).json(created);
    })
    .all(methodNotAllowed('GET, HEAD, POST'));
  router
    .route('/keys/:id')
    .delete(async (req, res) => {
      const { id } = req.params;
      if ((await keys.revoke(id, await administratorOf(req))) === 'missing') {
        fail('KEY_NOT_FOUND', { id });
      }
      log.info({ keyId: id }, 'key revoked');
      res.status(204).end();
    })
    .all(methodNotAllowed('DELETE'));
  return router;
}
