import express, { type Request, type RequestHandler, type Router } from 'express';
import { RolloutPlan } from '../../formats/rollout-plan.ts';
import { isToolName } from '../../formats/tool-name.ts';
import { actorOf } from '../audit/audit.ts';
import { inOneLine } from '../audit/reason.ts';
import type { HeldManifests } from '../catalog/held-manifests.ts';
import type { Clients } from '../clients/clients.ts';
import { fail } from '../errors.ts';
import type { Reservations } from '../feed/publish.ts';
import { requireOwner } from '../feed/reserved-ids.ts';
import { mayAsk, principalWith } from '../http/auth.ts';
import { methodNotAllowed } from '../http/error-handler.ts';
import type { Logger } from '../log.ts';
import { findRollout, performAction, type RolloutActionName, rolloutActions } from '../rollout/perform.ts';
import {
  NewRolloutJson,
  RolloutActionJson,
  type RolloutJson,
  toRolloutJson,
} from '../rollout/rollout-json.ts';
import type { Foreseen, Rollouts, StoredRollout } from '../rollout/rollouts.ts';
import { isCorrectionOf } from '../rollout/version-order.ts';
import type { IsOffered } from './offered.ts';
import { hasBody, parseJson, readBody } from './read.ts';

export type RolloutServices = Reservations & {
  readonly rollouts: Rollouts;
  readonly clients: Pick<Clients, 'flush'>;
  /** The package of a version that was uploaded and that nobody sees yet; undefined: there is none. */
  readonly findHeld: (tool: string, version: string) => Promise<{ readonly packageId: string } | undefined>;
  readonly heldManifests: Pick<HeldManifests, 'list'>;
  /** By APPROVALS. */
  readonly needsApproval: (tool: string, packageId: string) => boolean;
  readonly isOffered: IsOffered;
  readonly log: Logger;
};

type Numbered = { id: string };

/** Whoever publishes or decides has to know what is open, too. */
const readers = ['read', 'rollout', 'approve', 'push', 'push:beta'] as const;

/** Rollouts (contract section 8): JSON under /api/v1/rollouts. */
export function createRolloutRouter(services: RolloutServices): Router {
  const { rollouts } = services;
  const router = express.Router();
  const json = parseJson();
  router
    .route('/rollouts')
    .get(async (req, res) => {
      const tool = typeof req.query.tool === 'string' ? req.query.tool : undefined;
      await principalWith(req, readers);
      const found: RolloutJson[] = [];
      for (const rollout of await rollouts.list(tool)) {
        if (await isAbout(req, rollout)) found.push(await shown(services, rollout));
      }
      res.json(found);
    })
    // Before the body is read: whoever has no key sends none.
    .post(requireRolloutKey, json, (req, res) => start(services, req, res))
    .all(methodNotAllowed('GET, HEAD, POST'));
  router
    .route('/rollouts/:id')
    .get(async (req: Request<Numbered>, res) => {
      await principalWith(req, readers);
      const rollout = await findRollout(rollouts, req.params.id);
      if (!(await isAbout(req, rollout))) await principalWith(req, readers, rollout.tool);
      res.json(await shown(services, rollout));
    })
    .all(methodNotAllowed('GET, HEAD'));
  for (const name of Object.keys(rolloutActions) as RolloutActionName[]) {
    router
      .route(`/rollouts/:id/${name}`)
      .post(requireKeyFor(name), json, act(services, name))
      .all(methodNotAllowed('POST'));
  }
  return router;
}

/** Keys that are limited to ids learn of no other versions. */
function isAbout(req: Request, { tool, packageId }: StoredRollout): Promise<boolean> {
  return mayAsk(req, readers, [tool, packageId]);
}

const requireRolloutKey: RequestHandler = async (req, _res, next) => {
  await principalWith(req, ['rollout']);
  await principalWith(req, ['push']);
  next();
};

function requireKeyFor(name: RolloutActionName): RequestHandler {
  return async (req, _res, next) => {
    await principalWith(req, [rolloutActions[name].scope]);
    next();
  };
}

/** What has to be uploaded before a start. */
const missing = {
  version: 'the version itself',
  correction: 'a correction of it with the bytes that main offers, which a rollback needs,',
} as const;

const maxAttempts = 5;

async function start(
  services: RolloutServices,
  req: Request,
  res: express.Response,
  attempt = 1,
): Promise<void> {
  const { rollouts, clients, findHeld, reservedIds, log } = services;
  const { tool, version, plan: writtenPlan, reason, dryRun, packageId } = readBody(NewRolloutJson, req);
  await principalWith(req, ['push'], tool);
  const key = await principalWith(req, ['rollout'], tool);
  if (!isToolName(tool)) fail('TOOL_INVALID', { tool });
  const plan = readPlan(writtenPlan);
  const expected = dryRun ? { packageId: packageId ?? tool } : undefined;
  const held =
    (await findHeld(tool, version)) ??
    expected ??
    fail('ROLLOUT_NOT_HELD', { tool, version, missing: missing.version });
  for (const id of new Set([tool, held.packageId])) requireOwner(reservedIds ?? [], id, key);
  const { packageId: id } = held;
  const compared = services.needsApproval(tool, id) ? { main: await rollouts.main(id) } : undefined;
  const order = { tool, version, packageId: id, plan, writtenPlan, owner: key.owner, compared };
  // A ring's clients count from their first request on.
  await clients.flush();
  if (dryRun) {
    // Its answer may name what is offered of the package.
    await principalWith(req, ['push'], held.packageId);
    const foreseen = await rollouts.foresee(order);
    if (foreseen !== undefined) res.json(await shown(services, startedOf(foreseen, { tool, version })));
    else res.status(204).end();
    return;
  }
  const stale = await staleCorrection(services, order);
  if (stale !== undefined)
    fail('ROLLOUT_NOT_HELD', { tool, version, missing: `${missing.correction} since ${stale} has others,` });
  const outcome = await rollouts.start(order, { by: actorOf(key, req.ip), reason });
  // Main offers another version than a moment ago.
  if (outcome.is === 'changed') {
    if (attempt < maxAttempts) return start(services, req, res, attempt + 1);
    return fail('ROLLOUT_NOT_HELD', { tool, version, missing: missing.correction });
  }
  const rollout = startedOf(outcome, { tool, version });
  log.info({ tool, version, rollout: rollout.id, state: rollout.state }, 'rollout started');
  res.status(outcome.is === 'started' ? 201 : 200).json(await shown(services, rollout));
}

/**
 * By APPROVALS: a correction that could be taken, and was uploaded when main offered something else. What the rollout has
 * prepared already stays.
 */
async function staleCorrection(
  { rollouts, heldManifests, needsApproval, isOffered }: RolloutServices,
  { tool, version, packageId }: Pick<StoredRollout, 'tool' | 'version' | 'packageId'>,
): Promise<string | undefined> {
  if (!needsApproval(tool, packageId)) return undefined;
  const open = (await rollouts.listOpen()).find((one) => one.tool === tool && one.version === version);
  const prepared = open && (await rollouts.details(open)).correction;
  for (const held of await heldManifests.list(tool)) {
    const isTaken = held.corrects !== undefined && isCorrectionOf(held.version, version);
    if (isTaken && held.version !== prepared && !(await isOffered(held))) return held.version;
  }
  return undefined;
}

/** @throws FeedError BODY_INVALID with the place of each fault */
function readPlan(written: unknown): RolloutPlan {
  const read = RolloutPlan.safeParse(written);
  if (read.success) return read.data;
  const faults = read.error.issues.map(({ path, message }) => `${['plan', ...path].join('.')} ${message}`);
  return fail('BODY_INVALID', { problem: faults.join('; ') });
}

function startedOf(outcome: Foreseen, order: { tool: string; version: string }): StoredRollout {
  switch (outcome.is) {
    case 'started':
    case 'there':
      return outcome.rollout;
    case 'ended':
      return fail('ROLLOUT_ENDED', { ...order, state: outcome.rollout.state });
    case 'lower':
      return fail('ROLLOUT_LOWER', { ...order, open: outcome.rollout.version });
    case 'correction':
      return fail('ROLLOUT_CORRECTION', { ...order, open: outcome.rollout.version });
    case 'alerting':
      return fail('ROLLOUT_ALERTING', {
        ...order,
        alert: inOneLine(outcome.alert.labels.alertname ?? '') ?? 'without a name',
      });
    case 'no owner':
      return fail('ROLLOUT_NO_OWNER', order);
    case 'unknown ring':
      return fail('ROLLOUT_RING_UNKNOWN', { ring: outcome.ring });
    case 'empty ring':
      return fail('ROLLOUT_RING', { ring: outcome.ring });
    case 'not held':
      return fail('ROLLOUT_NOT_HELD', { ...order, missing: missing[outcome.lacks] });
    case 'not above':
      return fail('ROLLOUT_NOT_ABOVE', { ...order, offered: outcome.offered });
  }
}

function act(services: RolloutServices, name: RolloutActionName) {
  const { rollouts, log } = services;
  return async (req: Request<Numbered>, res: express.Response): Promise<void> => {
    const { reason, ...seen } = hasBody(req) ? readBody(RolloutActionJson, req) : {};
    const found = await findRollout(rollouts, req.params.id);
    const key = await principalWith(req, [rolloutActions[name].scope], found.tool);
    const rollout = await performAction(rollouts, found, name, { key, from: req.ip, reason, seen });
    const { id, tool, version, state } = rollout;
    log.info({ tool, version, rollout: id, state, action: name }, 'rollout changed');
    res.json(await shown(services, rollout));
  };
}

async function shown({ rollouts }: RolloutServices, rollout: StoredRollout): Promise<RolloutJson> {
  return toRolloutJson(rollout, await rollouts.details(rollout));
}
