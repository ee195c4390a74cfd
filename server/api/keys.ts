import express, { type Router } from 'express';
import { fail } from '../errors.ts';
import { methodNotAllowed } from '../http/error-handler.ts';
import {
  type CreatedKeyJson,
  type ListedKeyJson,
  NewKeyJson,
  RotationJson,
  toListedKey,
} from '../keys/key-json.ts';
import type { Keys } from '../keys/keys.ts';
import { toNewKey, toRotation } from '../keys/new-key.ts';
import type { Logger } from '../log.ts';
import { administratorOf, hasBody, parseJson, readBody } from './read.ts';

export type KeyServices = { readonly keys: Keys; readonly log: Logger; readonly now: () => Date };

/** API keys; the router requires `admin` before. */
export function createKeyRouter({ keys, log, now }: KeyServices): Router {
  const router = express.Router();
  router
    .route('/keys')
    .get(async (_req, res) => {
      const listed: ListedKeyJson[] = (await keys.list()).map((key) => toListedKey(key, now()));
      res.json(listed);
    })
    .post(parseJson(), async (req, res) => {
      const wanted = readBody(NewKeyJson, req);
      const created: CreatedKeyJson = await keys.create(toNewKey(wanted, now()), await administratorOf(req));
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
  router
    .route('/keys/:id/rotate')
    .post(parseJson(), async (req, res) => {
      const { id } = req.params;
      const wanted = hasBody(req) ? readBody(RotationJson, req) : {};
      const outcome = await keys.rotate(id, toRotation(wanted, now()), await administratorOf(req));
      if (outcome === 'missing') fail('KEY_NOT_FOUND', { id });
      if (outcome === 'expired') fail('KEY_DEAD', { id });
      if (outcome === 'exchanged') fail('KEY_EXCHANGED', { id });
      log.info({ keyId: id }, 'key rotated');
      res.json({ id, key: outcome.key } satisfies CreatedKeyJson);
    })
    .all(methodNotAllowed('POST'));
  return router;
}
