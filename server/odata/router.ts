import { type Request, type Response, Router } from 'express';
import type { Catalog } from '../catalog/catalog.ts';
import type { PackageQuery } from '../catalog/query.ts';
import { fail } from '../errors.ts';
import type { CachePolicies } from '../http/cache.ts';
import { renderEntry, renderFeed, renderProperty } from './atom.ts';
import { metadataDocument, serviceDocument } from './edmx.ts';
import { selectUpdates } from './get-updates.ts';
import { type FeedLinks, feedLinks, nextLink } from './links.ts';
import { readOptions } from './options.ts';
import { parseParameters } from './parameters.ts';
import { type Page, pageOf, selectionOf } from './query.ts';
import { parseResource, type Resource } from './resource.ts';
import { sendDocument } from './send-document.ts';

export type ODataServices = {
  readonly catalog: Pick<Catalog, 'find' | 'query' | 'count'>;
  readonly cache: Pick<CachePolicies, 'revalidate'>;
  /** Known once the server listens. */
  readonly publicUrl: () => string;
};

/**
 * The door for choco and nuget: the NuGet v2 feed, reading (spec nuget-v2). Hangs at `/nuget` and `/api/v2`; what is no
 * OData address (pushes, downloads, deletions) passes on to the next door.
 */
export function createODataRouter({ catalog, cache, publicUrl }: ODataServices): Router {
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
    const links = feedLinks(publicUrl(), request.baseUrl);
    response.setHeader('Cache-Control', cache.revalidate);
    await answer(resource, { catalog, links, rawQuery, request, response });
  });
  return router;
}

type Context = {
  readonly catalog: ODataServices['catalog'];
  readonly links: FeedLinks;
  readonly rawQuery: string;
  readonly request: Request;
  readonly response: Response;
};

async function answer(resource: Resource, context: Context): Promise<void> {
  const { links, request, response } = context;
  switch (resource.kind) {
    case 'service':
      return sendDocument(request, response, 'xml', serviceDocument(links.base));
    case 'metadata':
      return sendDocument(request, response, 'xml', metadataDocument);
    case 'package':
      return answerPackage(resource, context);
    case 'collection':
      return answerCollection(resource, context);
  }
}

async function answerPackage(
  { id, version, part }: Extract<Resource, { kind: 'package' }>,
  { catalog, links, rawQuery, request, response }: Context,
): Promise<void> {
  const { view } = readOptions(parseParameters(rawQuery));
  const row = await catalog.find(id, version, view);
  if (row === undefined) return fail('PACKAGE_NOT_FOUND', { id, version });
  switch (part) {
    case undefined:
      return sendDocument(request, response, 'entry', renderEntry(row, links));
    case 'Id':
      return sendDocument(request, response, 'xml', renderProperty('Id', row.id));
    case 'Version':
      return sendDocument(request, response, 'xml', renderProperty('Version', row.version));
    default:
      return response.redirect(302, links.download(row.id, row.normalizedVersion));
  }
}

async function answerCollection(
  { collection, isCount }: Extract<Resource, { kind: 'collection' }>,
  { catalog, links, rawQuery, request, response }: Context,
): Promise<void> {
  const parameters = parseParameters(rawQuery);
  const options = readOptions(parameters);
  const selection =
    collection === 'GetUpdates'
      ? await selectUpdates(catalog, options, parameters)
      : selectionOf(collection, options, parameters);
  const page = pageOf(options);
  // $count means all of it, whatever the page (spec nuget-v2 18.1).
  const total =
    isCount || options.wantsTotal ? await catalog.count({ ...selection, skip: 0, take: 0 }) : undefined;
  if (isCount) return sendDocument(request, response, 'text', String(total));

  // One row more tells whether there is a next page.
  const take = page.isLast ? page.size : page.size + 1;
  const found = take === 0 ? [] : await catalog.query({ ...selection, ...startOf(page), take });
  const rows = found.slice(0, page.size);
  const last = found.length > page.size ? rows.at(-1) : undefined;
  const next = last && nextLink(links, collection, rawQuery, page, last);
  return sendDocument(request, response, 'feed', renderFeed({ title: collection, rows, total, next }, links));
}

function startOf({ after, skip }: Page): Pick<PackageQuery, 'after' | 'skip'> {
  return { skip, ...(after && { after }) };
}

function isRoot(rawPath: string): boolean {
  return /^\/*$/.test(rawPath);
}

function splitUrl(url: string): readonly [rawPath: string, rawQuery: string] {
  const mark = url.indexOf('?');
  return mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
}
