import { isPackageId } from '../../formats/nuspec-fields.ts';
import type { Catalog, CatalogReader, PackageRow, Unchanged, VersionRow } from '../catalog/catalog.ts';
import type { Expression, PackageQuery, SemVerView } from '../catalog/query.ts';
import type { Revisions } from '../catalog/revisions.ts';
import { contains, readSearchText } from '../catalog/search-text.ts';
import { fail } from '../errors.ts';
import type { Body, Part } from '../http/body.ts';
import { createPartCache, type PartCache } from '../http/part-cache.ts';
import { createPause } from '../pause.ts';
import { shownFields, shownPublished } from './catalog-entry.ts';
import { fullVersion, type V3Links } from './links.ts';
import type { Parameters } from './parameters.ts';

type SearchServices = {
  readonly catalog: CatalogReader & Pick<Catalog, 'versionsOf'>;
  readonly revisions: Pick<Revisions, 'known'>;
  readonly links: V3Links;
};

const defaultTake = 20;
/** Hits per answer, as on nuget.org; `totalHits` shows that there are more, which `skip` reaches (spec nuget-v2 18.3). */
const maxTake = 1000;
/** Versions per answer, shared among its hits, the newest of each: thousands of versions of many ids must not add up. */
const maxVersionsOfAll = 10_000;
/** Bytes of hits per answer; it ends with the hit that exceeds this. A thousand long descriptions are half of it. */
const maxBytesOfAll = 8 * 1024 ** 2;
/** Enough for two thousand hits of usual size. */
const maxHitBytes = 6 * 1024 ** 2;
/**
 * Rendered hits of each catalog. A key stands for a view of an id since its last change, downloads included; revision numbers of
 * different catalogs are unrelated.
 */
const hitsOf = new WeakMap<SearchServices['revisions'], PartCache>();
/** Types per search. */
const maxTypes = 30;

/**
 * Answers a search (spec nuget-v2 section 14): the same as Search() of v2 with a filter on the latest flag, one hit per id.
 * @throws FeedError QUERY_INVALID
 */
export async function search(
  parameters: Parameters,
  { catalog, revisions, links }: SearchServices,
  { maxVersions = maxVersionsOfAll, maxBytes = maxBytesOfAll } = {},
): Promise<{ readonly json: Body; readonly isUnchanged: Unchanged | undefined }> {
  const { words, where } = readSearchText(parameters.text('q'), 'q');
  const query = oneOfEachId(parameters, where, words);
  const hits = hitsOf.get(revisions) ?? createPartCache(maxHitBytes);
  hitsOf.set(revisions, hits);
  const now = revisions.known();
  const before = now?.all();
  const isUnchanged = catalog.watch(query, true);
  const rows = query.take === 0 ? [] : await catalog.query(query);
  const versionsEach = Math.floor(maxVersions / Math.max(rows.length, 1));
  /** Undefined if it changed since this began: what was read may be a mix of two states. */
  const keyOf = ({ id }: PackageRow): string | undefined => {
    const changed = now?.all(id);
    return changed === undefined || before === undefined || changed > before
      ? undefined
      : `${links.base} ${query.view} ${query.includePrerelease} ${versionsEach} ${changed} ${id}`;
  };
  const rendered = rows.map((row) => {
    const key = keyOf(row);
    return key === undefined ? undefined : hits.find(key);
  });
  const versions = await catalog.versionsOf(
    rows.filter((_, at) => rendered[at] === undefined).map(({ id }) => id),
    query,
    versionsEach,
  );
  const render = (row: PackageRow): Buffer => {
    const ofId = versions.get(row.id.toLowerCase()) ?? [];
    const text = JSON.stringify(hit(row, ofId.toReversed(), query.view, links));
    const key = keyOf(row);
    return key === undefined ? Buffer.from(text) : hits.get(key, [], () => [text]);
  };
  const data: Part[] = [];
  const pause = createPause();
  let bytes = 0;
  for (const [at, row] of rows.entries()) {
    if (bytes >= maxBytes) break;
    const found = rendered[at] ?? render(row);
    bytes += found.length;
    data.push(at === 0 ? '' : ',', found);
    if (pause.isDue()) await pause.take();
  }
  // Of all pages together (nexus-public#418).
  const totalHits = await catalog.count(query);
  const json = [`{"@context":${JSON.stringify(vocabulary)},"totalHits":${totalHits},"data":[`, ...data, ']}'];
  return { json, isUnchanged };
}

const vocabulary = { '@vocab': 'http://schema.nuget.org/schema#' };

/** Answers a request to complete an id (`q`), or to list the versions of one (`id`). @throws FeedError QUERY_INVALID */
export async function autocomplete(
  parameters: Parameters,
  { catalog }: { readonly catalog: CatalogReader },
): Promise<object> {
  const context = { '@context': vocabulary };
  if (parameters.has('id')) {
    const rows = await catalog.query({
      ...visible(parameters, parameters.text('id')),
      take: maxVersionsOfAll,
    });
    return { ...context, totalHits: rows.length, data: rows.toReversed().map(fullVersion) };
  }
  const text = parameters.text('q').trim();
  // Clients only keep ids that begin with the text, so those come first (spec nuget-v2 18.3).
  const query: PackageQuery = {
    ...oneOfEachId(parameters, text === '' ? [] : [contains('Id', text)]),
    ...(text !== '' && { idsFirst: text }),
  };
  const rows = query.take === 0 ? [] : await catalog.query(query);
  return { ...context, totalHits: await catalog.count(query), data: rows.map(({ id }) => id) };
}

/** One version per id: the newest that the client would install. */
function oneOfEachId(
  parameters: Parameters,
  conditions: readonly Expression[],
  words: readonly string[] = [],
): PackageQuery {
  const includePrerelease = parameters.isTrue('prerelease');
  const isNewest: Expression = {
    kind: 'property',
    name: includePrerelease ? 'IsAbsoluteLatestVersion' : 'IsLatestVersion',
  };
  return {
    view: parameters.view,
    ...packageTypesOf(parameters),
    search: words,
    where: conditions.reduce<Expression>((left, right) => ({ kind: 'and', left, right }), isNewest),
    includeUnlisted: false,
    includePrerelease,
    orderBy: [],
    skip: parameters.number('skip', 0),
    take: Math.min(parameters.number('take', defaultTake), maxTake),
  };
}

/** `packageType` of NuGet 7.9 and newer, `packageTypeFilter` of older ones, each any number of times; empty means any type. */
function packageTypesOf(parameters: Parameters): Pick<PackageQuery, 'packageTypes'> {
  const asked = ['packageType', 'packageTypeFilter']
    .flatMap((name) => parameters.texts(name))
    .map((type) => type.trim())
    .filter((type) => type !== '');
  if (asked.length > maxTypes) fail('QUERY_INVALID', { problem: `it names more than ${maxTypes} types.` });
  // No package has a type with an invalid name.
  return asked.length === 0 ? {} : { packageTypes: asked.filter(isPackageId) };
}

/** The versions of an id that this client can see, newest first. */
function visible(parameters: Parameters, id: string): Omit<PackageQuery, 'take'> {
  return {
    view: parameters.view,
    id,
    includeUnlisted: false,
    includePrerelease: parameters.isTrue('prerelease'),
    orderBy: [{ by: 'Version', descending: true }],
    skip: 0,
  };
}

function hit(row: PackageRow, versions: readonly VersionRow[], view: SemVerView, links: V3Links): object {
  const registration = links.registration(view, row.id);
  return {
    '@id': registration,
    '@type': 'Package',
    registration,
    ...shownFields(row, links),
    // choco shows it with --detail, and sorts by it (spec nuget-v2 18.3).
    published: shownPublished(row),
    totalDownloads: row.downloads,
    verified: false,
    versions: versions.map((version) => ({
      version: fullVersion(version),
      downloads: version.versionDownloads,
      '@id': links.leaf(view, version),
    })),
  };
}
