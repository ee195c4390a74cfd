import express, { type RequestHandler, type Router } from 'express';
import { principalWith } from '../http/auth.ts';
import { methodNotAllowed } from '../http/error-handler.ts';
import { type AlertServices, createAlertRouter } from './alerts.ts';
import { type AuditServices, createAuditRouter } from './audit.ts';
import { type ClientServices, createClientRouter } from './clients.ts';
import { createHeldRouter, type HeldServices } from './held.ts';
import { createKeyRouter, type KeyServices } from './keys.ts';
import { openApiOf } from './openapi.ts';
import { createOwnKeyRouter } from './own-key.ts';
import { createPruneRouter, type PruneServices } from './prunes.ts';
import { createPublisherRouter, type PublisherServices } from './publishers.ts';
import { createPurgeRouter, type PurgeServices } from './purges.ts';
import { createReleaseRouter } from './releases.ts';
import { createRingRouter, type RingServices } from './rings.ts';
import { createRolloutRouter, type RolloutServices } from './rollouts.ts';
import type { ServerInfo } from './schemas.ts';
import { createTokenRouter, type TokenServices } from './token.ts';
import { createTraceRouter, type TraceServices } from './traces.ts';

export type AdminServices = KeyServices &
  AuditServices &
  PurgeServices &
  PruneServices &
  RingServices &
  ClientServices &
  RolloutServices &
  AlertServices &
  PublisherServices &
  TokenServices &
  HeldServices &
  TraceServices & { readonly publicUrl: () => string; readonly version: string };

/** Routes for programs that manage the server: JSON under /api/v1, described by openapi.ts. */
export function createAdminRouter(services: AdminServices): Router {
  const { publicUrl, version } = services;
  const router = express.Router();
  router.use((_req, res, next) => {
    res.set('Cache-Control', 'no-store');
    next();
  });
  router
    .route('/server')
    .get((_req, res) => {
      res.json(serverInfo(publicUrl(), version));
    })
    .all(methodNotAllowed('GET, HEAD'));
  router.use(createOwnKeyRouter());
  router.use(createTokenRouter(services));
  router.use(createReleaseRouter(services));
  router.use(createRingRouter(services));
  router.use(createClientRouter(services));
  router.use(createRolloutRouter(services));
  router.use(createAlertRouter(services));
  router.use(createHeldRouter(services));
  router.use(
    [
      ...['/keys', '/publishers', '/issuers', '/audit', '/imports', '/downloads'],
      ...['/purges', '/prunes', '/refusals', '/traces'],
    ],
    requireAdmin,
  );
  router.use(createKeyRouter(services));
  router.use(createPublisherRouter(services));
  router.use(createAuditRouter(services));
  router.use(createPurgeRouter(services));
  router.use(createTraceRouter(services));
  router.use(createPruneRouter(services));
  return router;
}

/** GET /openapi.json, next to the routes that it describes. */
export function createDescriptionRouter({
  publicUrl,
  version,
}: Pick<AdminServices, 'publicUrl' | 'version'>): Router {
  const router = express.Router();
  let made: object | undefined;
  router
    .route('/openapi.json')
    .get((_req, res) => {
      // The address is known once the server listens.
      made ??= openApiOf(publicUrl(), version);
      res.set('Cache-Control', 'no-cache').json(made);
    })
    .all(methodNotAllowed('GET, HEAD'));
  return router;
}

/** Checked before the body is read, so that nobody without a key can send one. */
const requireAdmin: RequestHandler = async (req, _res, next) => {
  await principalWith(req, ['admin']);
  next();
};

function serverInfo(publicUrl: string, version: string): ServerInfo {
  return {
    name: 'go-win-tools',
    version,
    publicUrl,
    feedUrl: `${publicUrl}/nuget`,
    payloadUrl: `${publicUrl}/dl`,
    bucketUrls: {
      main: `${publicUrl}/git/main/go-win-tools.git`,
      beta: `${publicUrl}/git/beta/go-win-tools.git`,
    },
  };
}
