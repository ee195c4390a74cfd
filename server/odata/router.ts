import { type Response, Router } from 'express';
import type { Catalog } from '../catalog/catalog.ts';
import { fail } from '../errors.ts';
import type { CachePolicies } from '../http/cache.ts';
import { plusSignOf } from '../http/plus-sign.ts';
import type { PlainRequest, Route } from '../http/prepared-response.ts';
import { prepareText, sendText } from '../http/send-text.ts';
import { type DocumentContext, isDocument, makeDocument } from './documents.ts';
import { feedLinks } from './links.ts';
import { parseResource, type Resource } from './resource.ts';

export type ODataServices = {
  readonly catalog: Pick<Catalog, 'find' | 'readerFor'>;
  readonly cache: Pick<CachePolicies, 'revalidate'>;
  /** Known once the server listens. */
  readonly publicUrl: () => string;
  /** The program's version. */
  readonly version: string;
};

/**
 * The NuGet v2 feed for choco and nuget.exe, read only (spec nuget-v2). Anything that is not an OData address (pushes, downloads,
 * deletions) goes to the next route.
 */
export function createODataRoute(mount: string, services: ODataServices): Route {
  const router = Router();
  router.use(async (request, response, next) => {
    const [rawPath, rawQuery] = splitUrl(request.url);
    // A push goes to the feed's root (spec nuget-v2 10.1).
    const resource = request.method === 'PUT' && isRoot(rawPath) ? undefined : parseResource(rawPath);
    if (resource === undefined) return next();
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      const allowed = isRoot(rawPath) ? 'GET, HEAD, PUT' : 'GET, HEAD';
      fail('METHOD_NOT_ALLOWED', { method: request.method, allowed });
    }
    const plusSign = plusSignOf(request.headers['user-agent']);
    const context = contextOf(services, request.baseUrl, { rawQuery, plusSign, from: request.ip });
    response.setHeader('Cache-Control', context.cacheControl);
    if (resource.kind === 'package' && !isDocument(resource)) return redirect(resource, response, context);
    await sendText(request, response, await makeDocument(resource, context));
  });
  return {
    mount,
    router,
    async prepare({ mount: written, rawPath, acceptsGzip, ...query }) {
      const resource = parseResource(rawPath);
      if (resource === undefined || !isDocument(resource)) return undefined;
      return prepareText(await makeDocument(resource, contextOf(services, written, query)), acceptsGzip);
    },
  };
}

function contextOf(
  { catalog, cache, publicUrl, version }: ODataServices,
  mount: string,
  { rawQuery, plusSign, from }: Pick<PlainRequest, 'rawQuery' | 'plusSign' | 'from'>,
): DocumentContext {
  const links = feedLinks(publicUrl(), mount);
  return {
    find: catalog.find,
    ask: catalog.readerFor(from),
    links,
    rawQuery,
    plusSign,
    cacheControl: cache.revalidate,
    version,
  };
}

/** The bytes of a package have a single address (spec nuget-v2 9.8). */
async function redirect(
  { id, version }: Extract<Resource, { kind: 'package' }>,
  response: Response,
  { find, links }: DocumentContext,
): Promise<void> {
  const row = (await find(id, version)) ?? fail('PACKAGE_NOT_FOUND', { id, version });
  response.redirect(302, links.download(row.id, row.normalizedVersion));
}

function isRoot(rawPath: string): boolean {
  return /^\/*$/.test(rawPath);
}

function splitUrl(url: string): readonly [rawPath: string, rawQuery: string] {
  const mark = url.indexOf('?');
  return mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
}
