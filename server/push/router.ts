import express, { type Request, type RequestHandler, type Response, type Router } from 'express';
import { isReadableBySemVer1 } from '../../formats/semver1.ts';
import { actorOf } from '../audit/audit.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { HeldVersions } from '../catalog/held.ts';
import { fail } from '../errors.ts';
import type { Approvals } from '../feed/approvals.ts';
import type { BlobFlusher } from '../feed/flush-blobs.ts';
import type { Inspect } from '../feed/inspect.ts';
import { publish } from '../feed/publish.ts';
import { requireOwner } from '../feed/reserved-ids.ts';
import { relist, unlist } from '../feed/withdraw.ts';
import { principalWith, requireSameKey } from '../http/auth.ts';
import { countPush } from '../http/count-push.ts';
import { reasonOf } from '../http/reason.ts';
import type { UploadLimit } from '../http/upload-limit.ts';
import type { Principal } from '../keys/api-keys.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { Rollouts } from '../rollout/rollouts.ts';
import { type HeldForServices, heldForOf } from './held-for.ts';
import { originOf } from './origin.ts';
import { receiveUpload } from './upload.ts';

export type PushServices = HeldForServices & {
  readonly catalog: Catalog & Pick<HeldVersions, 'hold' | 'isHeld'>;
  readonly rollouts: Pick<Rollouts, 'tick'>;
  readonly blobs: BlobStore;
  readonly blobFlusher: BlobFlusher;
  readonly inspect: Inspect;
  readonly maxPackageBytes: number;
  readonly approvals: Approvals;
  readonly now: () => Date;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'countPush'>;
  readonly uploads: UploadLimit;
};

type Package = { id: string; version: string };

/**
 * Routes for pushing and deleting packages, mounted at each base of the feed: what `choco push`, `nuget push` and `nuget delete`
 * send (spec nuget-v2 section 10). Anything else goes to the next route.
 */
export function createPushRouter(services: PushServices): Router {
  const router = express.Router();
  const push: RequestHandler = (req, res) =>
    countPush(services.metrics, 'package', () => pushPackage(services, req, res));
  router.put('/', push).put('/package', push);
  router.put('/symbolpackage', () => fail('SYMBOLS_UNSUPPORTED'));
  const withdraw = change(services, unlist, 'unlisted');
  const restore = change(services, relist, 'listed again');
  for (const path of ['/package/:id/:version', '/:id/:version'] as const) {
    router.delete(path, withdraw).post(path, restore);
  }
  return router;
}

async function pushPackage(services: PushServices, req: Request, res: Response): Promise<'published'> {
  // Checked before the body is read, so that nobody without a push key sends gigabytes to our disk. `publish` checks whether the
  // key may push this package.
  const principal = await principalWith(req, ['push', 'push:beta']);
  const uploader = { keyId: principal.keyId, address: req.ip };
  return services.uploads.during(uploader, () => receivePackage(services, req, res, principal));
}

async function receivePackage(
  services: PushServices,
  req: Request,
  res: Response,
  principal: Principal,
): Promise<'published'> {
  const heldFor = await heldForOf(services, req);
  const claims = { ...originOf(req, principal), reason: reasonOf(req), heldFor };
  const upload = await receiveUpload(req, services.blobs, services.maxPackageBytes);
  try {
    await requireSameKey(req, principal);
    const { id, version, nuspec } = await publish(services, upload, principal, req.ip, claims);
    services.log.info(
      { id, version, keyName: principal.name },
      heldFor === undefined ? 'package published' : 'package held',
    );
    // So that it can be discarded at any moment (catalog/held.ts).
    if (heldFor !== undefined) await services.blobFlusher.flush();
    // A higher version for everybody ends a rollout.
    else
      await services.rollouts
        .tick()
        .catch((error: unknown) => services.log.error({ err: error }, 'rollouts did not go on'));
    // NuGet clients show it to the pusher (spec nuget-v2 10.3).
    if (!isReadableBySemVer1(nuspec)) res.set('X-NuGet-Warning', hiddenWarning(id, version));
    // Explicit, since HTTP/1.0 can otherwise only end an answer by closing the connection (spec nuget-v2 18.2).
    res.status(201).set('Content-Length', '0').end();
    return 'published';
  } finally {
    await upload.discard();
  }
}

function hiddenWarning(id: string, version: string): string {
  return `${id} ${version} is hidden from choco 1.x: its version, or one that it depends on, is SemVer 2.`;
}

function change(
  services: PushServices,
  setListed: typeof unlist,
  is: 'unlisted' | 'listed again',
): RequestHandler<Package> {
  return async (req, res) => {
    const { id, version } = req.params;
    const principal = await principalWith(req, ['unlist'], id);
    requireOwner(services.reservedIds ?? [], id, principal);
    await setListed(services, id, version, actorOf(principal, req.ip), reasonOf(req));
    services.log.info({ id, version, keyName: principal.name }, `package ${is}`);
    res.status(200).type('text').send(`${id} ${version} is ${is}.\n`);
  };
}
