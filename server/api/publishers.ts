import express, { type Router } from 'express';
import { fail } from '../errors.ts';
import { methodNotAllowed } from '../http/error-handler.ts';
import type { Logger } from '../log.ts';
import {
  issuerId,
  NewIssuerJson,
  type SetIssuerJson,
  toIssuerJson,
  toNewIssuer,
} from '../trust/issuer-json.ts';
import { NewPublisherJson, toNewPublisher, toPublisherJson } from '../trust/publisher-json.ts';
import type { Trust } from '../trust/trust.ts';
import { administratorOf, parseJson, readBody } from './read.ts';

export type PublisherServices = {
  readonly trust: Trust;
  readonly publicUrl: () => string;
  readonly log: Logger;
  readonly now: () => Date;
};

/** A set of keys is escaped in the body. */
const maxIssuerBytes = 128 * 1024;

/** Trusted publishers and the keys of their issuers; the router requires `admin` before. */
export function createPublisherRouter({ trust, publicUrl, log, now }: PublisherServices): Router {
  const router = express.Router();
  router
    .route('/publishers')
    .get(async (_req, res) => {
      res.json((await trust.list()).map(toPublisherJson));
    })
    .post(parseJson(), async (req, res) => {
      const wanted = toNewPublisher(readBody(NewPublisherJson, req), publicUrl(), now());
      const { name } = wanted;
      const added = await trust.add(wanted, await administratorOf(req));
      if (added === 'exists') return fail('PUBLISHER_EXISTS', { name });
      log.info({ publisher: name }, 'publisher added');
      res.status(201).json(added);
    })
    .all(methodNotAllowed('GET, HEAD, POST'));
  router
    .route('/publishers/:id')
    .delete(async (req, res) => {
      const { id } = req.params;
      if ((await trust.remove(id, await administratorOf(req))) === 'missing')
        fail('PUBLISHER_UNKNOWN', { which: id });
      log.info({ publisher: id }, 'publisher removed');
      res.status(204).end();
    })
    .all(methodNotAllowed('DELETE'));
  router
    .route('/issuers')
    .get(async (_req, res) => {
      res.json((await trust.listIssuers()).map(toIssuerJson));
    })
    .post(parseJson(maxIssuerBytes), async (req, res) => {
      const { skipped, ...issuer } = toNewIssuer(readBody(NewIssuerJson, req));
      await trust.setIssuer(issuer, await administratorOf(req));
      log.info({ issuer: issuer.url, keys: issuer.keys.length }, 'issuer set');
      res.json({ keys: issuer.keys.map(({ kid }) => kid), skipped: [...skipped] } satisfies SetIssuerJson);
    })
    .all(methodNotAllowed('GET, HEAD, POST'));
  router
    .route('/issuers/:id')
    .delete(async (req, res) => {
      const { id } = req.params;
      const issuer = (await trust.listIssuers()).find(({ url }) => issuerId(url) === id);
      const outcome = issuer && (await trust.removeIssuer(issuer.url, await administratorOf(req)));
      if (outcome !== 'removed') fail('ISSUER_UNKNOWN', { issuer: id });
      log.info({ issuer: issuer?.url }, 'issuer removed');
      res.status(204).end();
    })
    .all(methodNotAllowed('DELETE'));
  return router;
}
