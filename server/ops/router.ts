import express, { type Router } from 'express';
import { fail } from '../errors.ts';
import { methodNotAllowed } from '../http/answer-error.ts';
import type { Logger } from '../log.ts';
import { createMetricsHandler, type MetricServices } from './metrics.ts';

export type OpsServices = MetricServices & {
  /** What must answer for the server to be of use; each throws when it does not. */
  readonly checks: Readonly<Record<'database' | 'blobs' | 'git', () => Promise<void>>>;
  readonly log: Logger;
};

/**
 * The door for those who watch: /healthz says that the process lives, /readyz that it can do its work, /metrics what it
 * does and how fast.
 */
export function createOpsRouter(services: OpsServices): Router {
  const { checks, log } = services;
  const router = express.Router();
  router.get('/healthz', (_req, res) => {
    res.set('Cache-Control', 'no-store').type('text').send('ok\n');
  });
  router.get('/readyz', async (_req, res) => {
    const broken = (
      await Promise.all(
        Object.entries(checks).map(async ([name, check]) => {
          try {
            await check();
            return [];
          } catch (error) {
            log.error({ err: error, check: name }, 'readiness check failed');
            return [name];
          }
        }),
      )
    ).flat();
    if (broken.length > 0) {
      fail('NOT_READY', { problem: `${broken.join(', ')} does not answer` });
    }
    res.set('Cache-Control', 'no-store').type('text').send('ready\n');
  });
  router.get('/metrics', createMetricsHandler(services));
  router.all(['/healthz', '/readyz', '/metrics'], methodNotAllowed('GET, HEAD'));
  return router;
}
