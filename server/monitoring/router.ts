import express, { type Router } from 'express';
import { fail } from '../errors.ts';
import { methodNotAllowed } from '../http/error-handler.ts';
import type { Logger } from '../log.ts';
import { healthAt } from './health.ts';
import { createMetricsHandler, type MetricServices } from './metrics.ts';
import { type Checks, createReadiness } from './readiness.ts';

export type MonitoringServices = MetricServices & {
  readonly checks: Checks;
  readonly log: Logger;
  /** Whether this server stops soon, and others are to get what comes. */
  readonly isLeaving: () => boolean;
  readonly version: string;
  readonly now: () => Date;
  readonly instance?: string | undefined;
  readonly sbomHash?: string | undefined;
  /** Of the TLS certificate that is served; undefined without TLS. */
  readonly certificateExpiry?: (() => Date | undefined) | undefined;
};

/** Routes for monitoring: /healthz (the process is alive), /readyz (it can do its work), /metrics (what it does and how fast). */
export function createMonitoringRouter(services: MonitoringServices): Router {
  const findBroken = createReadiness(services.checks, services.log);
  const router = express.Router();
  router.get('/healthz', (_req, res) => {
    const { now, instance, certificateExpiry } = services;
    // Not in the answer itself, which says what is installed: each process has another one (`feed:doctor` compares it).
    if (instance !== undefined) res.set('X-Instance', instance);
    res
      .set('Cache-Control', 'no-store')
      .json(healthAt(now(), { ...services, certificateExpiry: certificateExpiry?.() }));
  });
  router.get('/readyz', async (_req, res) => {
    if (services.isLeaving()) fail('NOT_READY', { problem: 'the server is stopping' });
    const broken = await findBroken();
    if (broken.length > 0) {
      fail('NOT_READY', { problem: `${broken.join(', ')} does not answer` });
    }
    res.set('Cache-Control', 'no-store').type('text').send('ready\n');
  });
  router.get('/metrics', createMetricsHandler(services));
  router.all(['/healthz', '/readyz', '/metrics'], methodNotAllowed('GET, HEAD'));
  return router;
}
