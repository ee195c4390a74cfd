import express, { type Request, type RequestHandler, type Router } from 'express';
import { z } from 'zod';
import { inOneLine } from '../audit/reason.ts';
import { fail } from '../errors.ts';
import { principalWith } from '../http/auth.ts';
import { methodNotAllowed } from '../http/error-handler.ts';
import { mayNameVersion, type ReadAuth } from '../http/read-access.ts';
import type { Logger } from '../log.ts';
import { findRollout, performAction } from '../rollout/perform.ts';
import type { Rollouts, StoredRollout } from '../rollout/rollouts.ts';
import { answerPage } from './answer-page.ts';
import { RolloutPage } from './rollout.tsx';
import { RolloutsPage } from './rollouts.tsx';

export type RolloutPageServices = {
  readonly config: { readonly readAuth?: ReadAuth };
  readonly rollouts: Rollouts;
  /** Looks for keys in a request once more (auth.ts): a form has its key in the body. */
  readonly identify: RequestHandler;
  readonly log: Logger;
};

type Numbered = { id: string };

/** What people need in a hurry; all other actions are commands. */
const formActions = ['halt', 'resume'] as const;

const Form = z.object({
  key: z.string().min(1, 'is missing').max(500),
  reason: z
    .string()
    .max(2000)
    .transform((text) => inOneLine(text))
    .refine((text) => text !== undefined, 'is missing'),
});

/** `/rollouts` and `/rollouts/N`, with the forms that halt and resume (contract section 8). */
export function createRolloutPages({ config, rollouts, identify, log }: RolloutPageServices): Router {
  const router = express.Router();
  router.get('/rollouts', async (request, response) => {
    const shown: StoredRollout[] = [];
    // Keys that are limited to ids learn of no other versions.
    for (const rollout of await rollouts.list()) {
      if (await mayNameVersion(config.readAuth, request, rollout)) shown.push(rollout);
    }
    await answerPage(response, <RolloutsPage rollouts={shown} />);
  });
  router.get('/rollouts/:id', async (request: Request<Numbered>, response) => {
    const rollout = await findRollout(rollouts, request.params.id);
    if (!(await mayNameVersion(config.readAuth, request, rollout))) {
      await principalWith(request, ['read'], rollout.tool);
    }
    await answerPage(response, <RolloutPage rollout={rollout} details={await rollouts.details(rollout)} />);
  });
  router.all(['/rollouts', '/rollouts/:id'], methodNotAllowed('GET, HEAD'));
  for (const action of formActions) {
    router
      .route(`/rollouts/:id/${action}`)
      .post(
        requireOwnPage,
        express.urlencoded({ extended: false, limit: 8 * 1024, parameterLimit: 10 }),
        takeKey,
        identify,
        async (request: Request<Numbered>, response) => {
          const seen = await findRollout(rollouts, request.params.id);
          const key = await principalWith(request, ['rollout'], seen.tool);
          const { reason } = readForm(request);
          const { id, tool, version, state } = await performAction(rollouts, seen, action, {
            ...{ key, from: request.ip, reason },
          });
          log.info({ tool, version, rollout: id, state, action }, 'rollout changed');
          // 303: the page is shown, and reloading it does nothing again.
          response.redirect(303, `../${id}`);
        },
      )
      .all(methodNotAllowed('POST'));
  }
  return router;
}

/** refuseForeignOrigin lets clients pass that are no browsers; this address is for a browser's own page alone. */
const requireOwnPage: RequestHandler = ({ headers }, _response, next) => {
  if (headers.origin === undefined && headers['sec-fetch-site'] !== 'same-origin') {
    fail('ORIGIN_FOREIGN', { origin: 'no page of this server' });
  }
  next();
};

/** The key of the form counts as the request's own, instead of what the browser may add. */
const takeKey: RequestHandler = (request, _response, next) => {
  delete request.headers.authorization;
  request.headers['x-nuget-apikey'] = readForm(request).key;
  next();
};

/** @throws FeedError BODY_INVALID */
function readForm(request: Request): z.infer<typeof Form> {
  const read = Form.safeParse(request.body);
  if (read.success) return read.data;
  const problem = read.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; ');
  return fail('BODY_INVALID', { problem });
}
