import express, { type Router } from 'express';
import { RingJson } from '../clients/ring-json.ts';
import type { Rings } from '../clients/rings.ts';
import { fail } from '../errors.ts';
import { principalWith } from '../http/auth.ts';
import { methodNotAllowed } from '../http/error-handler.ts';
import type { Logger } from '../log.ts';
import { administratorOf, parseJson, readBody } from './read.ts';

export type RingServices = { readonly rings: Rings; readonly log: Logger };

/** Rings of clients: whoever reads the feed may see them, administrators change them. */
export function createRingRouter({ rings, log }: RingServices): Router {
  const router = express.Router();
  router
    .route('/rings')
    .get(async (req, res) => {
      await principalWith(req, ['read']);
      res.json(await rings.list());
    })
    .post(
      // Before the body is read, as for all that administrators do.
      async (req, _res, next) => {
        await administratorOf(req);
        next();
      },
      parseJson(),
      async (req, res) => {
        const ring = readBody(RingJson, req);
        await rings.set(ring, await administratorOf(req));
        log.info({ ring: ring.name, globs: ring.globs.length }, 'ring set');
        res.json(ring);
      },
    )
    .all(methodNotAllowed('GET, HEAD, POST'));
  router
    .route('/rings/:name')
    .delete(async (req, res) => {
      const by = await administratorOf(req);
      const { name } = req.params;
      if ((await rings.remove(name, by)) === 'missing') fail('RING_UNKNOWN', { name });
      log.info({ ring: name }, 'ring removed');
      res.status(204).end();
    })
    .all(methodNotAllowed('DELETE'));
  return router;
}
