import express, { type Router } from 'express';
import type * as z from 'zod';
import type { Pruning } from '../feed/prune.ts';
import { NewPrune, type PruneReport, toPruneOrder } from '../feed/prune-json.ts';
import { methodNotAllowed } from '../http/error-handler.ts';
import type { Logger } from '../log.ts';
import { administratorOf, parseJson, readBody } from './read.ts';

export type PruneServices = { readonly pruning: Pruning; readonly log: Logger };

/** Purges old betas that nobody needs; the router requires `admin` before. */
export function createPruneRouter({ pruning, log }: PruneServices): Router {
  const router = express.Router();
  router
    .route('/prunes')
    .post(parseJson(), async (req, res) => {
      const wanted = readBody(NewPrune, req);
      const [order, by] = [toPruneOrder(wanted), await administratorOf(req)];
      const report: z.infer<typeof PruneReport> = wanted.dryRun
        ? await pruning.plan(order)
        : await pruning.prune(order, by);
      if (!wanted.dryRun) log.info({ count: report.count, bytes: report.bytes }, 'betas pruned');
      res.json(report);
    })
    .all(methodNotAllowed('POST'));
  return router;
}
