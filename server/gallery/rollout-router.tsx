import express, { type Request, type RequestHandler, type Response, type Router } from 'express';
import * as z from 'zod';
import { inOneLine } from '../audit/reason.ts';
import { readClientId } from '../clients/client-id.ts';
import { fail } from '../errors.ts';
import { lookUpKeysAgain, principalWith } from '../http/auth.ts';
import { methodNotAllowed } from '../http/error-handler.ts';
import { mayNameVersion, type ReadAuth } from '../http/read-access.ts';
import type { Logger } from '../log.ts';
import { explanationOf } from '../rollout/explanation.ts';
import { findRollout, performAction } from '../rollout/perform.ts';
import { explainClient, type ReadingClients } from '../rollout/read-clients.ts';
import type { Rollouts, StoredRollout } from '../rollout/rollouts.ts';
import { answerPage } from './answer-page.ts';
import { RolloutPage } from './rollout.tsx';
import type { Answer } from './rollout-forms.tsx';
import { RolloutsPage } from './rollouts.tsx';

export type RolloutPageServices = Pick<ReadingClients, 'standings'> & {
  readonly clients: Pick<ReadingClients['clients'], 'find' | 'downloads'>;
  readonly config: { readonly readAuth?: ReadAuth };
  readonly rollouts: Rollouts;
  /** Looks for keys in a request once more (auth.ts): a form has its key in the body. */
  readonly identify: RequestHandler;
  readonly log: Logger;
};

type Numbered = { id: string };

/** What people need in a hurry; all other actions are commands. */
const formActions = ['halt', 'resume'] as const;

const Key = z.object({ key: z.string().min(1, 'is missing').max(500) });
const Change = Key.extend({
  reason: z
    .string()
    .max(2000)
    .transform((text) => inOneLine(text))
    .refine((text) => text !== undefined, 'is missing'),
  // A page may be hours old: since then others may have resumed it, and an alert may have halted it again.
  since: z.iso.datetime().optional(),
});
const Question = Key.extend({ client: z.string().max(100) });

/**
 * `/rollouts` and `/rollouts/N`, with the forms that halt and resume, and the one that asks what a machine is offered (contract
 * section 8).
 */
export function createRolloutPages(services: RolloutPageServices): Router {
  const { config, rollouts, identify, log } = services;
  const router = express.Router();
  const form = [
    requireOwnPage,
    express.urlencoded({ extended: false, limit: 8 * 1024, parameterLimit: 10 }),
    takeKey,
    identify,
    lookUp,
  ];
  async function answerRollout(response: Response, rollout: StoredRollout, answer?: Answer): Promise<void> {
    const isOfKey = response.req.method === 'POST';
    const [details, steps] = [await rollouts.details(rollout), await rollouts.countSteps(rollout)];
    // Under `no-referrer` a browser sends `Origin: null` with a form, as a page of another site would (Fetch standard 3.2).
    response.set('Referrer-Policy', 'same-origin');
    const page = <RolloutPage {...{ rollout, details, steps, answer }} />;
    await answerPage(response, page, isOfKey ? 'no-store' : 'no-cache');
  }

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
    await answerRollout(response, rollout);
  });
  router.all(['/rollouts', '/rollouts/:id'], methodNotAllowed('GET, HEAD'));
  for (const action of formActions) {
    router
      .route(`/rollouts/:id/${action}`)
      .post(form, async (request: Request<Numbered>, response: Response) => {
        // First, since without a key nobody learns which rollouts there are.
        await principalWith(request, ['rollout']);
        const found = await findRollout(rollouts, request.params.id);
        const key = await principalWith(request, ['rollout'], found.tool);
        const { reason, ...seen } = readForm(Change, request);
        const by = { key, from: request.ip, reason, seen };
        const changed = await performAction(rollouts, found, action, by);
        const { id, tool, version, state } = changed;
        log.info({ tool, version, rollout: id, state, action }, 'rollout changed');
        // 303: the page is shown, and reloading it does nothing again. READ_AUTH refuses it to a browser without a key for reading.
        if (config.readAuth === undefined || response.locals.isSignedIn) response.redirect(303, `../${id}`);
        else await answerRollout(response, changed);
      })
      .all(methodNotAllowed('POST'));
  }
  router
    .route('/rollouts/:id/client')
    // What single machines are offered needs a key, as in /api/v1/clients; and a key must not be in an address.
    .post(form, async (request: Request<Numbered>, response: Response) => {
      await principalWith(request, ['read']);
      const rollout = await findRollout(rollouts, request.params.id);
      await principalWith(request, ['read'], rollout.tool);
      const { client } = readForm(Question, request);
      const id = readClientId(client) ?? fail('CLIENT_INVALID', { id: client });
      await principalWith(request, ['read'], rollout.tool, id);
      const lines = explanationOf(await explainClient(services, id, rollout.tool));
      await answerRollout(response, rollout, { client: id, lines });
    })
    .all(methodNotAllowed('POST'));
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
const takeKey: RequestHandler = (request, response, next) => {
  response.locals.isSignedIn = request.headers.authorization !== undefined;
  delete request.headers.authorization;
  request.headers['x-nuget-apikey'] = readForm(Key, request).key;
  next();
};

const lookUp: RequestHandler = async (request, _response, next) => {
  await lookUpKeysAgain(request);
  next();
};

/** @throws FeedError BODY_INVALID */
function readForm<Form extends z.ZodType>(form: Form, { body }: Request): z.infer<Form> {
  const read = form.safeParse(body);
  if (read.success) return read.data;
  const problem = read.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; ');
  return fail('BODY_INVALID', { problem });
}
