import express, { type Request, type RequestHandler, type Router } from 'express';
import { isToolName } from '../../formats/tool-name.ts';
import { actorOf } from '../audit/audit.ts';
import type { HeldVersions } from '../catalog/held.ts';
import type { HeldManifest, HeldManifests } from '../catalog/held-manifests.ts';
import { fail } from '../errors.ts';
import type { BlobFlusher } from '../feed/flush-blobs.ts';
import { requireOwner } from '../feed/reserved-ids.ts';
import { mayAsk, principalWith } from '../http/auth.ts';
import { methodNotAllowed } from '../http/error-handler.ts';
import { reasonOf } from '../http/reason.ts';
import type { Logger } from '../log.ts';
import type { Rollouts } from '../rollout/rollouts.ts';
import { type HeldVersion, NewHeldManifest } from './held-json.ts';
import type { IsOffered } from './offered.ts';
import { parseJson, readBody } from './read.ts';

export type HeldServices = {
  readonly catalog: Pick<HeldVersions, 'isHeld' | 'listHeld'>;
  readonly heldManifests: HeldManifests;
  readonly rollouts: Pick<Rollouts, 'correct' | 'discard' | 'main'>;
  readonly blobFlusher: Pick<BlobFlusher, 'flush'>;
  /** Whether two manifests differ in nothing but addresses. */
  readonly isMoved: (before: string, text: string) => boolean;
  /** By APPROVALS: other owners approve a rollout by the number of its correction, and do not see the files. */
  readonly needsApproval: (tool: string, packageId: string) => boolean;
  readonly isOffered: IsOffered;
  /** What is wrong with a manifest, by the rules for pushes to the bucket. */
  readonly manifestFaults: (manifest: HeldManifestParts) => Promise<string[]>;
  readonly bucket: {
    /** Of a version that a branch has, or ever had. */
    readManifestAtVersion(tool: string, version: string): Promise<object | undefined>;
  };
  readonly reservedIds: readonly string[] | undefined;
  readonly log: Logger;
};

export type HeldManifestParts = { tool: string; version: string; text: string; message: string };
type Named = { tool: string; version: string };
const maxBytes = 512 * 1024;

/** Versions that are uploaded and not published, with their manifests: /api/v1/held (docs/release/rollouts.md). */
export function createHeldRouter(services: HeldServices): Router {
  const { catalog, heldManifests, reservedIds, log } = services;
  const router = express.Router();
  router
    .route('/held/:tool')
    .get(requirePush, async (req: Request<{ tool: string }>, res) => {
      const { tool } = req.params;
      const manifests = new Set((await heldManifests.list(tool)).map(({ version }) => version));
      const held = await catalog.listHeld(tool);
      res.json(
        held.map(({ id, version, sha256 }): HeldVersion => {
          return { version, packageId: id, sha256, hasManifest: manifests.has(version) };
        }),
      );
    })
    .all(methodNotAllowed('GET, HEAD'));
  router
    .route('/held/:tool/:version')
    .get(requirePush, async (req: Request<Named>, res) => {
      const { tool, version } = req.params;
      const { packageId, text, message, corrects } =
        (await heldManifests.find(tool, version)) ?? fail('HELD_MISSING', { id: tool, version });
      res.json({
        packageId,
        manifest: text,
        message,
        ...(corrects === undefined ? {} : { corrects }),
      } satisfies NewHeldManifest);
    })
    // Before the body is read: whoever has no key sends none.
    .put(requirePush, parseJson(maxBytes), (req: Request<Named>, res) => put(services, req, res))
    .delete(requirePush, async (req: Request<Named>, res) => {
      const { tool, version } = req.params;
      const key = await principalWith(req, ['push'], tool);
      // Payloads can be downloaded by everybody: whoever only publishes puts no others in their place.
      const keepsPayloads = !(await mayAsk(req, ['rollout'], [tool]));
      const held = (await catalog.listHeld(tool)).find((one) => one.version === version);
      for (const id of new Set([tool, held?.id ?? tool])) requireOwner(reservedIds ?? [], id, key);
      await discard(
        services,
        { ...req.params, keepsPayloads },
        { by: actorOf(key, req.ip), reason: reasonOf(req) },
      );
      log.info({ tool, version, keyName: key.name }, 'held version discarded');
      res.status(204).end();
    })
    .all(methodNotAllowed('GET, HEAD, PUT, DELETE'));
  return router;
}

const requirePush: RequestHandler<{ tool: string }> = async (req, _res, next) => {
  const { tool } = req.params;
  await principalWith(req as Request, ['push'], tool);
  if (!isToolName(tool)) fail('TOOL_INVALID', { tool });
  next();
};

async function put(
  services: HeldServices,
  req: Request<Named>,
  res: express.Response,
  earlier: { readonly attempts: number; readonly isAdded: boolean } = { attempts: 0, isAdded: false },
): Promise<void> {
  const { catalog, heldManifests, rollouts, reservedIds, log } = services;
  const { tool, version } = req.params;
  const { packageId, manifest: text, message, corrects } = readBody(NewHeldManifest, req);
  const key = await principalWith(req, ['push'], packageId);
  for (const id of new Set([tool, packageId])) requireOwner(reservedIds ?? [], id, key);
  const held = (await catalog.listHeld(tool)).find((one) => one.version === version);
  if (held?.id.toLowerCase() !== packageId.toLowerCase()) fail('HELD_MISSING', { id: packageId, version });
  const [fault] = await services.manifestFaults({ tool, version, text, message });
  if (fault !== undefined) fail('BODY_INVALID', { problem: fault.replace(/\.$/, '') });
  const isCompared = corrects !== undefined && services.needsApproval(tool, packageId);
  const compared = isCompared ? { main: await rollouts.main(packageId) } : undefined;
  if (isCompared) await requireOffered(services, { tool, version, packageId, text });
  const manifest = { tool, version, packageId, text, message, corrects };
  const is = await heldManifests.put(manifest);
  if (is === 'other' && !(await move(services, manifest))) fail('HELD_OTHER', { tool, version });
  const isAdded = earlier.isAdded || is === 'added';
  if (corrects !== undefined) {
    const order = { tool, version, corrects, compared };
    const outcome = await rollouts.correct(order, { by: actorOf(key, req.ip) });
    // Main offers another version than a moment ago.
    if (outcome === 'changed') {
      const attempts = earlier.attempts + 1;
      if (attempts >= maxAttempts)
        fail('ROLLOUT_NOT_HELD', { tool, version: corrects, missing: lastingCorrection });
      return put(services, req, res, { attempts, isAdded });
    }
    if (outcome === 'approved') fail('CORRECTION_APPROVED', { tool, version, corrects });
    if (outcome === 'unfit') fail('BODY_INVALID', { problem: `${version} is no correction of ${corrects}` });
  }
  log.info({ tool, version, keyName: key.name }, 'manifest held');
  res.status(isAdded ? 201 : 200).end();
}

/** `bucket:rebase`: the same release from other addresses takes the place of what is held, also while it is rolling out. */
async function move({ heldManifests, isMoved }: HeldServices, manifest: HeldManifest): Promise<boolean> {
  const { tool, version, text } = manifest;
  const held = await heldManifests.find(tool, version);
  if (held === undefined || !isMoved(held.text, text)) return false;
  if (held.message !== manifest.message || held.corrects !== manifest.corrects) return false;
  return (await heldManifests.replaceText(tool, version, held.text, text)) === 'replaced';
}

/** @throws FeedError BODY_INVALID for a correction that installs something else than main offers */
async function requireOffered(
  { isOffered }: HeldServices,
  manifest: Parameters<IsOffered>[0],
): Promise<void> {
  if (await isOffered(manifest)) return;
  const { tool } = manifest;
  const problem = `by APPROVALS, a correction of ${tool} installs what main offers, and this one has other files, scripts or fields`;
  fail('BODY_INVALID', { problem });
}

const maxAttempts = 5;
const lastingCorrection = 'a correction with what main offers, which changes all the time,';

async function discard(
  { rollouts, blobFlusher, bucket }: HeldServices,
  { tool, version, keepsPayloads }: Named & { readonly keepsPayloads: boolean },
  request: Parameters<Rollouts['discard']>[1],
): Promise<void> {
  const isOnBranch = (await bucket.readManifestAtVersion(tool, version)) !== undefined;
  for (let attempt = 1; ; attempt += 1) {
    const is = await rollouts.discard({ tool, version, isOnBranch, keepsPayloads }, request);
    if (is === 'discarded') return;
    if (is === 'needed') fail('HELD_NEEDED', { tool, version });
    if (is === 'missing') fail('HELD_MISSING', { id: tool, version });
    if (attempt >= maxAttempts) fail('INTERNAL');
    await blobFlusher.flush();
  }
}
