import type { PackageRow } from '../catalog/catalog.ts';
import type { SemVerView } from '../catalog/query.ts';
import { catalogEntry, entryDocument, shownPublished } from './catalog-entry.ts';
import type { V3Links } from './links.ts';

/** The versions of one id in one hive. */
export type Hive = { readonly id: string; readonly view: SemVerView; readonly links: V3Links };
/** First and last version of a page, and how many it has. */
export type PageBounds = { readonly lower: string; readonly upper: string; readonly count: number };

/** How many versions a page holds, as on nuget.org. */
export const pageSize = 64;

/** The index of an id with all its pages inside. The rows are in the order of versions. */
export function inlineIndex(rows: readonly PackageRow[], hive: Hive): object {
  return indexOf(
    pagesOf(rows).map((page) => pageBody(page, hive)),
    hive,
  );
}

/** The index of an id with many versions: clients fetch a page without items by its `@id`. */
export function pagedIndex(pages: readonly PageBounds[], hive: Hive): object {
  return indexOf(
    pages.map((bounds) => pageHead(bounds, hive)),
    hive,
  );
}

/** One page as a separate document. */
export function registrationPage(rows: readonly PackageRow[], hive: Hive): object {
  return { ...pageBody(rows, hive), '@context': context };
}

/** One version as a separate document. */
export function registrationLeaf(row: PackageRow, hive: Hive): object {
  return {
    ...leafBody(row, hive),
    // An array and an address: PackageManagement's Find-Package reads both (spec nuget-v2 18.3).
    '@type': ['Package', 'http://schema.nuget.org/catalog#Permalink'],
    catalogEntry: hive.links.entry(hive.view, row),
    listed: row.isListed,
    published: shownPublished(row),
    '@context': context,
  };
}

/** The `catalogEntry` document of a version's leaf. */
export function registrationEntry(row: PackageRow, { view, links }: Hive): object {
  return { ...entryDocument(row, view, links), '@context': context };
}

const context = {
  '@vocab': 'http://schema.nuget.org/schema#',
  catalog: 'http://schema.nuget.org/catalog#',
  items: { '@id': 'catalog:item', '@container': '@set' },
  tags: { '@id': 'tag', '@container': '@set' },
  dependencyGroups: { '@id': 'dependencyGroup', '@container': '@set' },
  dependencies: { '@id': 'dependency', '@container': '@set' },
  published: { '@type': 'http://www.w3.org/2001/XMLSchema#dateTime' },
};

function indexOf(items: readonly object[], { id, view, links }: Hive): object {
  return {
    '@id': links.registration(view, id),
    '@type': ['catalog:CatalogRoot', 'PackageRegistration'],
    count: items.length,
    items,
    '@context': context,
  };
}

function pageBody(rows: readonly PackageRow[], hive: Hive): object {
  const [lower = '', upper = ''] = [rows[0], rows.at(-1)].map((row) => row?.normalizedVersion);
  return {
    ...pageHead({ lower, upper, count: rows.length }, hive),
    items: rows.map((row) => leafBody(row, hive)),
  };
}

function pageHead({ lower, upper, count }: PageBounds, { id, view, links }: Hive): object {
  return {
    '@id': links.page(view, id, lower, upper),
    '@type': 'catalog:CatalogPage',
    count,
    lower,
    upper,
    parent: links.registration(view, id),
  };
}

function leafBody(row: PackageRow, { id, view, links }: Hive): object {
  return {
    '@id': links.leaf(view, row),
    '@type': 'Package',
    catalogEntry: catalogEntry(row, view, links),
    packageContent: links.content(row),
    registration: links.registration(view, id),
  };
}

function pagesOf<Row>(rows: readonly Row[]): readonly (readonly Row[])[] {
  const count = Math.ceil(rows.length / pageSize);
  return Array.from({ length: count }, (_, index) => rows.slice(index * pageSize, (index + 1) * pageSize));
}
