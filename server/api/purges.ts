import express, { type Router } from 'express';
import type { Purging } from '../feed/purge.ts';
import { methodNotAllowed } from '../http/error-handler.ts';
import type { Logger } from '../log.ts';
import { administratorOf, parseJson, readBody } from './read.ts';
import { NewPurge, type PurgeReport } from './schemas.ts';

export type PurgeServices = { readonly purging: Purging; readonly log: Logger };

/** Purges versions for good; the router requires `admin` before. */
export function createPurgeRouter({ purging, log }: PurgeServices): Router {
  const router = express.Router();
  router
    .route('/purges')
    .post(parseJson(), async (req, res) => {
      const order = readBody(NewPurge, req);
      const report: PurgeReport = await purging.purge(order, await administratorOf(req));
      log.info({ id: order.id, version: order.version, files: report.files }, 'version purged');
      res.json(report);
    })
    .all(methodNotAllowed('POST'));
  return router;
}
