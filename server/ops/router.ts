import express, { type Router } from 'express';
import { fail } from '../errors.ts';
import { methodNotAllowed } from '../http/answer-error.ts';
import type { Logger } from '../log.ts';

export type OpsServices = {
  /** What must answer for the server to be of use; each throws when it does not. */
  readonly checks: Readonly<Record<'database' | 'blobs' | 'git', () => Promise<void>>>;
  readonly log: Logger;
};

/** The door for those who watch: /healthz says that the process lives, /readyz that it can do its work. */
export function createOpsRouter({ checks, log }: OpsServices): Router {
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
  router.all(['/healthz', '/readyz'], methodNotAllowed('GET, HEAD'));
  return router;
}
