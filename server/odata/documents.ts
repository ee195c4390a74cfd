import type { Catalog, CatalogReader } from '../catalog/catalog.ts';
import { idOf } from '../catalog/one-id.ts';
import type { PackageQuery } from '../catalog/query.ts';
import { fail } from '../errors.ts';
import type { TextDocument } from '../http/send-text.ts';
import { renderEntry, renderFeed, renderProperty } from './atom.ts';
import { completeId, versionsOf } from './completion.ts';
import { metadataDocument, serviceDocument } from './edmx.ts';
import { selectUpdates } from './get-updates.ts';
import { type FeedLinks, nextLink } from './links.ts';
import { readOptions, readText } from './options.ts';
import { parseParameters } from './parameters.ts';
import { leftOf, type Page, pageOf, selectionOf } from './query.ts';
import type { Resource } from './resource.ts';

const contentTypes = {
  xml: 'application/xml;charset=utf-8',
  feed: 'application/atom+xml;type=feed;charset=utf-8',
  entry: 'application/atom+xml;type=entry;charset=utf-8',
  text: 'text/plain;charset=utf-8',
  json: 'application/json;charset=utf-8',
} as const;

export type DocumentContext = {
  readonly find: Catalog['find'];
  readonly ask: CatalogReader;
  readonly links: FeedLinks;
  readonly rawQuery: string;
  /** The meaning of a raw plus sign (http/plus-sign.ts). */
  readonly plusSign: ' ' | '+';
  readonly cacheControl: string;
  /** The program's version: another one may render the same rows differently. */
  readonly version: string;
};

/** A resource that is a document, as opposed to the bytes of a package. */
export function isDocument(resource: Resource): boolean {
  return resource.kind !== 'package' || (resource.part !== '$value' && resource.part !== 'Download');
}

/**
 * The document of a resource (spec nuget-v2 section 9).
 * @throws FeedError PACKAGE_NOT_FOUND, QUERY_INVALID
 */
export function makeDocument(resource: Resource, context: DocumentContext): Promise<TextDocument> {
  switch (resource.kind) {
    case 'service':
      return Promise.resolve(document('xml', serviceDocument(context.links.base), context));
    case 'metadata':
      return Promise.resolve(document('xml', metadataDocument, context));
    case 'ids':
    case 'versions':
      return makeCompletion(resource, context);
    case 'package':
      return makePackage(resource, context);
    case 'collection':
      return makeCollection(resource, context);
  }
}

async function makeCompletion(
  resource: Extract<Resource, { kind: 'ids' | 'versions' }>,
  context: DocumentContext,
): Promise<TextDocument> {
  const parameters = parseParameters(context.rawQuery, context.plusSign);
  const asked = { ask: context.ask, options: readOptions(parameters) };
  const found =
    resource.kind === 'ids'
      ? await completeId(readText(parameters, 'partialId'), asked)
      : await versionsOf(resource.id, asked);
  return document('json', JSON.stringify(found), context);
}

async function makePackage(
  { id, version, part }: Extract<Resource, { kind: 'package' }>,
  context: DocumentContext,
): Promise<TextDocument> {
  const { view } = readOptions(parseParameters(context.rawQuery, context.plusSign));
  const row = await context.find(id, version, view);
  if (row === undefined) return fail('PACKAGE_NOT_FOUND', { id, version });
  const about = { id };
  switch (part) {
    case 'Id':
      return document('xml', renderProperty('Id', row.id), context, about);
    case 'Version':
      return document('xml', renderProperty('Version', row.version), context, about);
    default: {
      const { text, identity } = renderEntry(row, context.links);
      return document('entry', text, context, { ...about, identity });
    }
  }
}

async function makeCollection(
  { collection, isCount }: Extract<Resource, { kind: 'collection' }>,
  context: DocumentContext,
): Promise<TextDocument> {
  const { ask, links, rawQuery, plusSign } = context;
  const parameters = parseParameters(rawQuery, plusSign);
  const options = readOptions(parameters);
  const selection =
    collection === 'GetUpdates'
      ? await selectUpdates(ask, options, parameters)
      : selectionOf(collection, options, parameters);
  const page = pageOf(options);
  // One extra row shows whether there is a next page.
  const take = page.isLast ? page.size : page.size + 1;
  const asked = { ...selection, ...startOf(page), take };
  const isUnchanged = isCount ? undefined : ask.watch(asked, options.wantsTotal);
  // $count counts everything, whatever the page (spec nuget-v2 18.1).
  const total =
    isCount || options.wantsTotal ? await ask.count({ ...selection, skip: 0, take: 0 }) : undefined;
  const id = idOf(selection);
  const about = id === undefined ? {} : { id };
  if (isCount) return document('text', String(total), context, about);

  const found = take === 0 ? [] : await ask.query(asked);
  const rows = found.slice(0, page.size);
  const next = (shown: number) => {
    const last = shown < found.length ? rows[shown - 1] : undefined;
    return last && nextLink(links, collection, rawQuery, { left: leftOf(page, shown), last });
  };
  const { text, identity } = await renderFeed({ title: collection, rows, total, next }, links);
  return document('feed', text, context, { ...about, identity, isUnchanged });
}

function startOf({ after, skip }: Page): Pick<PackageQuery, 'after' | 'skip'> {
  return { skip, ...(after && { after }) };
}

function document(
  type: keyof typeof contentTypes,
  text: TextDocument['text'],
  { cacheControl, version }: DocumentContext,
  { id, identity, isUnchanged }: Pick<TextDocument, 'id' | 'identity' | 'isUnchanged'> = {},
): TextDocument {
  const headers = [
    'Cache-Control',
    cacheControl,
    'Content-Type',
    contentTypes[type],
    // WCF refuses 3.0 and above (spec nuget-v2 section 1, point 9).
    'DataServiceVersion',
    '2.0;',
  ];
  return {
    headers,
    text,
    isUnchanged,
    ...(id !== undefined && { id }),
    ...(identity !== undefined && { identity: `${version}\n${identity}` }),
  };
}
