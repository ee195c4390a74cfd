import type { IncomingMessage } from 'node:http';
import { type RequestHandler, Router } from 'express';
import type { BlobStore } from './blobs/blob-store.ts';
import type { Catalog } from './catalog/catalog.ts';
import type { HeldVersions } from './catalog/held.ts';
import { readClientId } from './clients/client-id.ts';
import type { Clients } from './clients/clients.ts';
import { createDownloadRoute } from './download/router.ts';
import { fail } from './errors.ts';
import type { CachePolicies } from './http/cache.ts';
import type { ClientAddresses } from './http/client-address.ts';
import { anyClient, readClientPath } from './http/client-path.ts';
import { type BeginDownload, isBroken } from './http/download-count.ts';
import type { Route } from './http/prepared-response.ts';
import { needsKey, type ReadAuth } from './http/read-access.ts';
import { pathOf, plainTarget } from './http/request-target.ts';
import { viewNumber } from './http/view-number.ts';
import type { Logger } from './log.ts';
import { createODataRoute } from './odata/router.ts';
import type { Rollouts } from './rollout/rollouts.ts';
import { plainView, type View, type Views } from './rollout/views.ts';
import { createFlatRoute } from './v3/flat.ts';
import { createV3Route } from './v3/router.ts';

export type ClientRouteServices = {
  readonly config: { readonly readAuth?: ReadAuth };
  readonly catalog: Catalog & HeldVersions;
  readonly blobs: BlobStore;
  readonly publicUrl: () => string;
  readonly version: string;
  readonly views: Pick<Views, 'of'>;
  readonly rollouts: Pick<Rollouts, 'receive'>;
  readonly clients: Pick<Clients, 'noteDownload'>;
  readonly log: Logger;
  readonly cache: CachePolicies;
  readonly beginDownload: BeginDownload;
  readonly addresses: ClientAddresses;
};

type OfView = { readonly routes: readonly Route[]; readonly routers: ReadonlyMap<string, Router> };

/** Views whose routes are remembered; four open rollouts make sixteen. */
const maxViews = 100;
const bases = ['/nuget', '/api/v2', '/v3'] as const;

/** The feed as one client sees it, at `/nuget/c/ID`, `/api/v2/c/ID` and `/v3/c/ID` (contract section 8). */
export function createClientRoutes(services: ClientRouteServices): {
  readonly viewOf: (req: IncomingMessage, id: string, from: string | undefined) => View | Promise<View>;
  readonly routesOf: (view: View) => readonly Route[];
  /** Before the routes for everybody. */
  readonly handler: RequestHandler;
} {
  const { views, addresses, config } = services;
  const made = new Map<number, OfView>();
  function viewOf(req: IncomingMessage, id: string, from: string | undefined): View | Promise<View> {
    return views.of(id, from, req.method === 'HEAD' ? 'head' : 'get');
  }

  function ofView(view: View): OfView {
    const key = viewNumber(view);
    const known = made.get(key);
    if (known !== undefined) return known;
    if (made.size >= maxViews) made.clear();
    const routes = routesFor(services, view);
    const of = { routes, routers: new Map(bases.map((base) => [base, routerAt(base, routes)])) };
    made.set(key, of);
    return of;
  }

  return {
    viewOf,
    routesOf: (view) => ofView(view).routes,
    handler: async (req, res, next) => {
      const address = readClientPath(req.path);
      if (address === undefined) return next();
      if (req.method !== 'GET' && req.method !== 'HEAD') {
        // A package may be called `c`: `nuget delete c 1.0.0` asks for this path.
        if (address.rest.length <= 1 && ['DELETE', 'POST'].includes(req.method)) return next();
        fail('METHOD_NOT_ALLOWED', { method: req.method, allowed: 'GET, HEAD' });
      }
      const id = await addresses.require(decoded(address.client));
      // What is open to all says nothing about a client, and must not admit it.
      const isOpen = config.readAuth !== undefined && !needsKey(config.readAuth, req.path);
      const view = isOpen ? plainView : await viewOf(req, id, req.ip);
      const router = ofView(view).routers.get(address.base);
      return router === undefined ? next() : router(req, res, next);
    },
  };
}

function routesFor(
  { catalog, blobs, cache, publicUrl, version, beginDownload, rollouts, clients, log }: ClientRouteServices,
  view: View,
): readonly Route[] {
  const seen = view.grants.length === 0 ? catalog : { ...catalog, ...catalog.withHeld(view.grants) };
  const downloading = { catalog: seen, blobs, cache, beginDownload: countReceived };
  const reading = { catalog: seen, cache, publicUrl, version };

  /** Whoever has the whole package has received what is rolled out: the evidence that its next step waits for. */
  function countReceived(...[req, what, from]: Parameters<BeginDownload>): () => void {
    const onWholeSent = beginDownload(req, what, from);
    return () => {
      onWholeSent();
      const client = clientOf(req);
      if (client === undefined || isBroken(req)) return;
      if (what.file === undefined) clients.noteDownload(client, what.id, what.version);
      for (const { rollout } of view.grants.filter((grant) => isOf(grant, what))) {
        rollouts
          .receive(client, rollout)
          .catch((error: unknown) => log.error({ err: error }, 'a received version was not noted'));
      }
    };
  }

  // Rendered search hits are kept for the plain feed alone, whose revisions they are kept by.
  const revisions = { known: () => undefined };
  return [
    ...(['/nuget', '/api/v2'] as const).flatMap((base) => [
      createDownloadRoute(`${base}/c/${anyClient}/package`, downloading),
      createODataRoute(`${base}/c/${anyClient}`, reading),
    ]),
    createFlatRoute(`/v3/c/${anyClient}/flat`, downloading),
    createV3Route(`/v3/c/${anyClient}`, { ...reading, revisions }),
  ];
}

/** The client at whose address a request came; Express' routers change `url`. */
function clientOf(req: IncomingMessage & { readonly originalUrl?: string }): string | undefined {
  const address = readClientPath(pathOf(plainTarget(req.originalUrl ?? req.url ?? '/')));
  return address && readClientId(decoded(address.client));
}

/** What cannot be decoded is no client's id. */
function decoded(written: string): string {
  try {
    return decodeURIComponent(written);
  } catch {
    return written;
  }
}

function isOf({ is, id, version }: View['grants'][number], what: Parameters<BeginDownload>[1]): boolean {
  return (
    is === 'version' &&
    what.file === undefined &&
    id.toLowerCase() === what.id.toLowerCase() &&
    version === what.version
  );
}

function routerAt(base: (typeof bases)[number], routes: readonly Route[]): Router {
  const at = `${base}/c/${anyClient}`;
  const router = Router();
  for (const { mount, router: one } of routes.filter((route) => route.mount.startsWith(at))) {
    router.use(`${base}/c/:client${mount.slice(at.length)}`, one);
  }
  router.use(() => fail('ROUTE_UNKNOWN', { path: base }));
  return router;
}
