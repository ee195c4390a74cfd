import type { PackageQuery } from '../catalog/query.ts';
import { allOf, readSearchText } from '../catalog/search-text.ts';
import { fail } from '../errors.ts';
import { type Options, readText } from './options.ts';
import type { Parameters } from './parameters.ts';
import type { Collection } from './resource.ts';

/** The size of a page without `$top`: PSResourceGet relies on exactly this number (spec nuget-v2 section 7). */
const pageSize = 100;
/** The maximum size of an answer; PSResourceGet asks for 6000. A larger `$top` gets a next link. */
const maxPageSize = 6000;

/** Which rows of the query this answer contains, and where the next one begins. */
export type Page = {
  readonly after: PackageQuery['after'];
  readonly skip: number;
  readonly size: number;
  /** A full page ends the answer: `$top` is satisfied (spec nuget-v2 9.7; WCF would append the next page, section 5). */
  readonly isLast: boolean;
  readonly top: number | undefined;
};

/** A collection before paging. */
export type Selection = Omit<PackageQuery, 'after' | 'skip' | 'take'>;

export function pageOf({ after, skip, top }: Options): Page {
  if (top === undefined) return { after, skip, size: pageSize, isLast: false, top };
  const size = Math.min(top, maxPageSize);
  return { after, skip, size, isLast: size === top, top };
}

/** What remains of `$top` after this many entries. */
export function leftOf({ top }: Page, shown: number): number | undefined {
  return top === undefined ? undefined : top - shown;
}

/** The selection of `Packages`, `FindPackagesById` or `Search`; `GetUpdates` needs to read the catalog first. */
export function selectionOf(
  collection: Exclude<Collection, 'GetUpdates'>,
  options: Options,
  parameters: Parameters,
): Selection {
  switch (collection) {
    case 'Packages':
      return { ...shared(options), includeUnlisted: true, includePrerelease: true };
    case 'FindPackagesById':
      // Unlisted versions are included, since a restore may depend on one (spec nuget-v2 section 15, trap 8).
      return { ...shared(options), id: readId(parameters), includeUnlisted: true, includePrerelease: true };
    case 'Search': {
      const { words, where } = readSearchText(readText(parameters, 'searchTerm'), 'searchTerm');
      return {
        ...shared({ ...options, filter: allOf([options.filter, ...where]) }),
        search: words,
        includeUnlisted: false,
        includePrerelease: options.includePrerelease,
      };
    }
  }
}

function shared({ view, filter, orderBy }: Options): Pick<Selection, 'view' | 'where' | 'orderBy'> {
  return { view, orderBy, ...(filter && { where: filter }) };
}

/** An empty id matches nothing; a missing one is an error. */
function readId(parameters: Parameters): string {
  if (!parameters.has('id')) fail('QUERY_INVALID', { problem: "FindPackagesById() needs id='...'." });
  return readText(parameters, 'id');
}
