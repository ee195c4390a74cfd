import express, { type RequestHandler, type Router } from 'express';
import { actorOf } from '../audit/audit.ts';
import { FeedError, fail } from '../errors.ts';
import { principalWith } from '../http/auth.ts';
import { methodNotAllowed } from '../http/error-handler.ts';
import type { Logger } from '../log.ts';
import { AlertmanagerWebhook } from '../rollout/alerts.ts';
import type { Rollouts } from '../rollout/rollouts.ts';
import { parseJson, readBody } from './read.ts';

export type AlertServices = { readonly rollouts: Pick<Rollouts, 'takeAlerts'>; readonly log: Logger };

/** What a webhook did, for the log of whoever looks there; Alertmanager itself reads the status alone. */
export type AlertReport = {
  readonly rollouts: readonly {
    readonly id: number;
    readonly tool: string;
    readonly version: string;
    readonly state: string;
  }[];
};

/** Two thousand alerts with their labels and annotations. */
const maxBytes = 4 * 1024 ** 2;

/** POST /api/v1/alerts: Alertmanager's webhook, version 4 (contract section 12). */
export function createAlertRouter({ rollouts, log }: AlertServices): Router {
  const router = express.Router();
  router
    .route('/alerts')
    .post(requireAlertKey, parseJson(maxBytes), async (req, res) => {
      const { alerts } = readBody(AlertmanagerWebhook, req);
      const key = await principalWith(req, ['alert']);
      const by = actorOf(key, req.ip);
      // Alertmanager sends again what was answered with 5xx, and only that: nothing that is refused for good.
      const changed = await rollouts.takeAlerts(alerts, { by, ids: key.ids }).catch((error: unknown) => {
        if (error instanceof FeedError && error.status < 500) throw error;
        log.error({ err: error }, 'alerts not stored');
        return fail('ALERTS_NOT_STORED', {}, error);
      });
      const report: AlertReport = {
        rollouts: changed.map(({ id, tool, version, state }) => ({ id, tool, version, state })),
      };
      if (changed.length > 0) log.warn({ ...report, keyName: key.name }, 'an alert stopped rollouts');
      res.json(report);
    })
    .all(methodNotAllowed('POST'));
  return router;
}

/** Before the body is read: whoever has no key sends none. */
const requireAlertKey: RequestHandler = async (req, _res, next) => {
  await principalWith(req, ['alert']);
  next();
};
