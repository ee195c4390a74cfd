import type { RequestListener } from 'node:http';
import createExpress from 'express';
import type { Tracer } from '../tracing/tracer.ts';
import { createIsOffered } from './api/offered.ts';
import { createAdminRouter, createDescriptionRouter } from './api/router.ts';
import type { Audit } from './audit/audit.ts';
import type { Downloads } from './audit/downloads.ts';
import type { Refusals } from './audit/refusals.ts';
import type { BlobStore } from './blobs/blob-store.ts';
import { installsSameFiles, isMoved } from './bucket/approval-rules.ts';
import type { Bucket } from './bucket/bucket.ts';
import { manifestFaults } from './bucket/manifest-faults.ts';
import { createBucketRouter } from './bucket/router.ts';
import type { Catalog } from './catalog/catalog.ts';
import type { HeldVersions } from './catalog/held.ts';
import type { HeldManifests } from './catalog/held-manifests.ts';
import type { Payloads } from './catalog/payloads.ts';
import type { Revisions } from './catalog/revisions.ts';
import { createClientRoutes } from './client-routes.ts';
import type { Clients } from './clients/clients.ts';
import type { Rings } from './clients/rings.ts';
import type { Config } from './config.ts';
import { createDownloadRoute } from './download/router.ts';
import { approvalsNeeded } from './feed/approvals.ts';
import type { BlobFlusher } from './feed/flush-blobs.ts';
import type { Inspect } from './feed/inspect.ts';
import type { Pruning } from './feed/prune.ts';
import type { Purging } from './feed/purge.ts';
import { renderErrorPage } from './gallery/error-page.tsx';
import { createRolloutPages } from './gallery/rollout-router.tsx';
import { createGalleryRouter } from './gallery/router.tsx';
import { identify } from './http/auth.ts';
import { cachePolicies } from './http/cache.ts';
import { createClientAddresses } from './http/client-address.ts';
import { createClientResponses } from './http/client-responses.ts';
import { createBeginDownload } from './http/download-count.ts';
import { closeWhenLeaving, refuseWhenStopping } from './http/drain.ts';
import { createErrorHandler, routeNotFound } from './http/error-handler.ts';
import { refuseForeignOrigin } from './http/foreign-origin.ts';
import {
  catchUpWith,
  createFreshGate,
  doubtRefusals,
  type Freshness,
  refuseWhenBehind,
} from './http/fresh-gate.ts';
import { createGuessThrottle } from './http/guess-throttle.ts';
import { limitRequestTime } from './http/limits.ts';
import { createNoteRefusal } from './http/note-refusal.ts';
import { createReadPeer } from './http/peer.ts';
import { warnOfPlainHttp } from './http/plain-http.ts';
import type { Route } from './http/prepared-response.ts';
import { requireReadAccess } from './http/read-access.ts';
import { createRequestLog, createRequestWatch } from './http/request-log.ts';
import { plainTarget } from './http/request-target.ts';
import { traceRequests } from './http/request-trace.ts';
import { createResponseCache } from './http/response-cache.ts';
import { securityHeaderList, setSecurityHeaders } from './http/security-headers.ts';
import { createUploadLimit } from './http/upload-limit.ts';
import { createInstallRouter } from './install/router.ts';
import type { Keys } from './keys/keys.ts';
import type { Logger } from './log.ts';
import { createManifestsRouter } from './manifests/router.ts';
import { createMetrics } from './metrics.ts';
import type { InstallationServices } from './monitoring/installation.ts';
import { createMonitoringRouter, type MonitoringServices } from './monitoring/router.ts';
import { createODataRoute } from './odata/router.ts';
import { inTurn } from './pause.ts';
import { createPayloadRouter } from './payload/router.ts';
import { createPushRouter } from './push/router.ts';
import type { Rollouts } from './rollout/rollouts.ts';
import type { Standings } from './rollout/standing.ts';
import type { Views } from './rollout/views.ts';
import type { Trust } from './trust/trust.ts';
import { createFlatRoute } from './v3/flat.ts';
import { createV3Route } from './v3/router.ts';

/** Everything that the routes need; each takes its part. */
export type Services = Pick<InstallationServices, 'certificateExpiry' | 'installation'> & {
  readonly config: Pick<
    Config,
    | 'accessLog'
    | 'approvals'
    | 'clients'
    | 'maxPackageBytes'
    | 'readAuth'
    | 'reservedIds'
    | 'tls'
    | 'trustProxy'
  >;
  /** Base of every absolute link, known once the server listens. */
  readonly publicUrl: () => string;
  readonly version: string;
  readonly productDir: string;
  readonly catalog: Catalog & HeldVersions;
  readonly revisions: Revisions;
  readonly payloads: Payloads;
  readonly audit: Audit;
  readonly downloads: Downloads;
  readonly refusals: Refusals;
  readonly blobs: BlobStore;
  readonly blobFlusher: BlobFlusher;
  readonly inspect: Inspect;
  readonly purging: Purging;
  readonly pruning: Pruning;
  readonly bucket: Bucket;
  readonly keys: Keys;
  readonly trust: Trust;
  readonly rings: Rings;
  /** Another number after each change of rings. */
  readonly ringChanges: () => number;
  readonly clients: Clients;
  readonly rollouts: Rollouts;
  readonly standings: Standings;
  readonly views: Views;
  readonly heldManifests: HeldManifests;
  readonly log: Logger;
  readonly now: () => Date;
  readonly isStopping: () => boolean;
  /** Whether it will stop soon: it serves, and load balancers are to send nothing more (STOP_DELAY). */
  readonly isLeaving?: (() => boolean) | undefined;
  /** Where several servers share a database. */
  readonly freshness?: Freshness | undefined;
  /** Another one for each process that serves. */
  readonly instance?: string | undefined;
  /** `sha256:HEX` of the program's own SBOM, where there is one. */
  readonly sbomHash?: string | undefined;
  /** Where requests are traced. */
  readonly tracer?: Tracer | undefined;
  /** Whether `start` is releasing the first packages. */
  readonly isFilling?: (() => boolean) | undefined;
};

/** For whole responses: enough for the ten thousand most requested addresses. */
const maxCachedResponseBytes = 56 * 1024 ** 2;

/** For responses to clients that have addresses of their own, by view. */
const maxClientResponseBytes = 16 * 1024 ** 2;

/** All routes, in the order in which a request passes them. Express and the response cache use the same list. */
export function createApp(services: Services): RequestListener {
  const { config, log, keys, now, catalog, blobs, isStopping } = services;
  const isLeaving = () => isStopping() || services.isLeaving?.() === true;
  const { maxPackageBytes, reservedIds, approvals = [] } = config;
  const cache = cachePolicies(config.readAuth !== undefined);
  const findKey = warnOfPlainHttp((secret, { address }) => keys.find(secret, address), log);
  const metrics = createMetrics(services.freshness?.state, services.tracer?.counts);
  const noteRefusal = createNoteRefusal(services.refusals, metrics);
  const beginDownload = createBeginDownload({ ...services, metrics });
  const uploads = createUploadLimit();
  const securityHeaders = securityHeaderList(config.tls !== undefined);
  const uploading = { ...services, maxPackageBytes, reservedIds, approvals, metrics, uploads };
  const downloading = { catalog, blobs, cache, beginDownload };
  const slowDown = createGuessThrottle(now);
  const identifying = identify(findKey, slowDown, () => catchUpWith(services.freshness));
  const addresses = createClientAddresses({ ...services, clients: config.clients });
  const requireClient = addresses.require;
  const clientRoutes = createClientRoutes({
    ...services,
    cache: cachePolicies(true),
    beginDownload,
    addresses,
  });
  const routes: readonly Route[] = [
    ...['/nuget', '/api/v2'].flatMap((base) => [
      { mount: base, router: createPushRouter(uploading) },
      createDownloadRoute(`${base}/package`, downloading),
      createODataRoute(base, { ...services, cache }),
    ]),
    { mount: '/v3/publish', router: createPushRouter(uploading) },
    createFlatRoute('/v3/flat', downloading),
    createV3Route('/v3', { ...services, cache }),
    { mount: '/dl', router: createPayloadRouter({ ...uploading, ...downloading }) },
    { mount: '/', router: createManifestsRouter({ ...services, requireClient }) },
    { mount: '/', router: createInstallRouter(services) },
    { mount: '/', router: createBucketRouter({ ...services, requireClient, metrics, uploads, noteRefusal }) },
    {
      mount: '/api/v1',
      router: createAdminRouter({ ...services, reservedIds, slowDown, ...heldUploads(services) }),
    },
    { mount: '/', router: createDescriptionRouter(services) },
    { mount: '/', router: createRolloutPages({ ...services, identify: identifying }) },
    { mount: '/', router: createGalleryRouter(services) },
  ];

  const app = createExpress();
  app.disable('x-powered-by');
  // Should our error handler itself fail, Express answers; in no other mode is that without the stack.
  app.set('env', 'production');
  // Responses that clients may revalidate set their own ETag.
  app.disable('etag');
  app.set('trust proxy', config.trustProxy ?? false);

  const watch = createRequestWatch(log, metrics.observeRequest, config.accessLog, services.tracer);
  app.use(createRequestLog(watch));
  app.use(setSecurityHeaders(securityHeaders));
  app.use(refuseWhenStopping(isStopping));
  app.use(closeWhenLeaving(isLeaving));
  app.use(refuseWhenBehind());
  app.use(limitRequestTime());
  app.use(refuseForeignOrigin(services.publicUrl));
  app.use(identifying);
  app.use(requireReadAccess(config.readAuth));

  app.use(createMonitoringRouter({ ...services, isLeaving, checks: readinessOf(services), metrics }));
  app.use((_req, res, next) => inTurn(() => res.closed || next()));
  app.use(clientRoutes.handler);
  for (const { mount, router } of routes) app.use(mount, router);
  app.use(routeNotFound);
  app.use(doubtRefusals);
  app.use(createErrorHandler(log, renderErrorPage, noteRefusal));
  const cacheOptions = {
    routes,
    revisions: services.revisions,
    maxBytes: maxCachedResponseBytes,
    readAuth: config.readAuth,
    findKey,
    watch,
    readPeer: createReadPeer(app),
    // Express closes connections after their response then.
    isStopping: isLeaving,
    securityHeaders,
  };
  const express: RequestListener = (req, res) => {
    req.url = plainTarget(req.url ?? '/');
    app(req, res);
  };
  const answer = createResponseCache(cacheOptions, express);
  const ofClients = { ...cacheOptions, ...clientRoutes, maxBytes: maxClientResponseBytes, addresses };
  const answerClient = createClientResponses(ofClients, express, answer);
  const handle: RequestListener = (req, res) =>
    mayBeOfClient(req.url) ? answerClient(req, res) : answer(req, res);
  const { freshness } = services;
  const gated = freshness === undefined ? handle : createFreshGate(freshness, handle, express);
  return services.tracer === undefined ? gated : traceRequests(gated);
}

/** Cheap, since every request asks; `createClientResponses` looks closely. */
function mayBeOfClient(url = ''): boolean {
  return /\/c\//i.test(url);
}

function heldUploads(services: Services) {
  const { heldManifests, payloads, publicUrl, config } = services;
  return {
    findHeld: (tool: string, version: string) => heldManifests.find(tool, version),
    isMoved,
    isOffered: createIsOffered({ ...services, installsSameFiles }),
    needsApproval: (tool: string, packageId: string) =>
      [tool, packageId].some((id) => approvalsNeeded(config.approvals ?? [], id) > 0),
    manifestFaults: (manifest: Parameters<typeof manifestFaults>[1]) =>
      manifestFaults({ payloads, publicUrl }, manifest),
  };
}

function readinessOf({ catalog, blobs, bucket, freshness }: Services): MonitoringServices['checks'] {
  return {
    database: () => freshness?.ping() ?? catalog.ping(),
    blobs: () => blobs.ping(),
    git: () => bucket.ping(),
  };
}
