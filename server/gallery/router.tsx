import { join } from 'node:path';
import express, { type Request, type Router } from 'express';
import type { BlobReader } from '../blobs/blob-store.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Payloads } from '../catalog/payloads.ts';
import type { Config } from '../config.ts';
import { fail } from '../errors.ts';
import { missing } from '../feed/retrieve.ts';
import { methodNotAllowed } from '../http/error-handler.ts';
import { mayNameVersion } from '../http/read-access.ts';
import type { Rollouts, StoredRollout } from '../rollout/rollouts.ts';
import { answerPage } from './answer-page.ts';
import type { AppSources } from './apps.ts';
import { HomePage } from './home.tsx';
import { PackagePage } from './package.tsx';
import { createPackageContent } from './package-content.ts';
import { findUnlistedId, readListing, readPackage } from './pages.ts';
import { UnfilledPage, UnlistedPage } from './plain-pages.tsx';
import { ReportPage } from './report.tsx';

export type GalleryServices = {
  readonly config: Pick<Config, 'readAuth'>;
  readonly catalog: Catalog;
  readonly rollouts: Pick<Rollouts, 'listOpen'>;
  readonly blobs: Pick<BlobReader, 'readTo'>;
  readonly payloads: Pick<Payloads, 'find'>;
  /** The server's address in every command on the pages. */
  readonly publicUrl: () => string;
  /** For the Scoop commands of a page. */
  readonly bucket: AppSources['bucket'];
  /** Whether `start` is releasing the first packages; absent in `serve`. */
  readonly isFilling?: (() => boolean) | undefined;
  /** The folder that contains static/. */
  readonly productDir: string;
};

/** Pages for people: `/` lists the packages, `/packages/ID` shows one. No scripts, so there is nothing to break or to trust. */
export function createGalleryRouter(services: GalleryServices): Router {
  const router = express.Router();
  const content = createPackageContent(services.blobs);
  const sources = (request: Request) => ({
    ...services,
    content,
    ask: services.catalog.readerFor(request.ip),
  });
  router.use(
    '/static',
    express.static(join(services.productDir, 'server', 'gallery', 'static'), {
      index: false,
      maxAge: '1h',
      redirect: false,
    }),
  );
  router.get('/', async (request, response) => {
    response.vary('User-Agent');
    if (isNuGetClient(request)) {
      // A relative redirect, so that the client stays at the address that it was given.
      response.set('Cache-Control', 'no-cache').redirect(`${pathOf(services.publicUrl())}/nuget`);
      return;
    }
    const listing = await readListing(sources(request), textOf(request, 'q'), numberOf(request, 'page'));
    const isFilling = services.isFilling?.() === true;
    await answerPage(
      response,
      <HomePage
        listing={listing}
        publicUrl={services.publicUrl()}
        isFilling={isFilling}
        readAuth={services.config.readAuth}
      />,
    );
  });
  // People look for the list of packages above a package's page.
  router.get('/packages', (request, response) => {
    response.redirect(`${pathOf(services.publicUrl())}/${new URL(request.originalUrl, 'http://any').search}`);
  });
  // `{id}`, which older NuGet clients do not fill in; ids contain no braces.
  router.get(/^\/packages\/(?:\{|%7b)/i, (_request, response) => answerPage(response, <UnfilledPage />));
  router.get('/packages/:id', async (request, response) => {
    const { id } = request.params;
    const found = await readPackage(sources(request), id);
    if (found === undefined) {
      const unlisted = await findUnlistedId(services.catalog, id);
      if (unlisted === undefined) fail('PACKAGE_NOT_FOUND', { id, version: 'in any version' });
      await answerPage(response, <UnlistedPage id={unlisted} />);
      return;
    }
    await answerPage(
      response,
      <PackagePage
        found={found}
        rollouts={await readBadges(services, request, found.id)}
        publicUrl={services.publicUrl()}
        readAuth={services.config.readAuth}
        client={textOf(request, 'client')}
      />,
    );
  });
  router.get('/packages/:id/:version/report', async (request, response) => {
    const { id, version } = request.params;
    const row = (await services.catalog.find(id, version)) ?? (await missing(services.catalog, id, version));
    await answerPage(response, <ReportPage row={row} publicUrl={services.publicUrl()} />);
  });
  router.all(
    ['/', '/packages', '/packages/:id', '/packages/:id/:version/report'],
    methodNotAllowed('GET, HEAD'),
  );
  return router;
}

/** The open rollouts of a package that the page may name. */
async function readBadges(
  { rollouts, config }: GalleryServices,
  request: Request,
  packageId: string,
): Promise<StoredRollout[]> {
  const shown: StoredRollout[] = [];
  for (const rollout of await rollouts.listOpen()) {
    if (rollout.packageId.toLowerCase() !== packageId.toLowerCase()) continue;
    if (await mayNameVersion(config.readAuth, request, rollout)) shown.push(rollout);
  }
  return shown;
}

/** A client that uses the server's bare address as a source gets the feed (spec nuget-v2 18.3). */
function isNuGetClient(request: Request): boolean {
  return /NuGet/i.test(request.headers['user-agent'] ?? '');
}

function pathOf(publicUrl: string): string {
  return new URL(publicUrl).pathname.replace(/\/+$/, '');
}

function textOf(request: Request, name: string): string {
  const value = request.query[name];
  return typeof value === 'string' ? value.slice(0, 200) : '';
}

function numberOf(request: Request, name: string): number {
  const value = Number(textOf(request, name));
  return Number.isSafeInteger(value) && value > 0 ? Math.min(value, 10_000) : 1;
}
