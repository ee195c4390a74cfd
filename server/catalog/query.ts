import { parseNuGetVersion } from '../../formats/nuget-version.ts';

/**
 * A query in the catalog's own terms, independent of OData's syntax. `odata/filter.ts` makes these values, `sql/query.ts` turns
 * them into SQL, and nothing else knows both.
 */

/** Which versions a client can read (spec nuget-v2 12.3): `semver1` hides SemVer 2 versions and has latest flags of its own. */
export type SemVerView = 'semver1' | 'semver2';

/** Only clients that declare SemVer 2 support see such versions; an invalid level declares nothing (spec nuget-v2 12.3, 18.1). */
export function viewOfLevel(semVerLevel: string): SemVerView {
  const level = parseNuGetVersion(semVerLevel);
  return level !== undefined && level.numbers[0] >= 2 ? 'semver2' : 'semver1';
}

/** Every property allowed in `$filter` or `$orderby` (spec nuget-v2 section 8); nothing else gets through. */
export const queryProperties = [
  'Id',
  'Version',
  'NormalizedVersion',
  'Title',
  'Summary',
  'Description',
  'Tags',
  'Authors',
  'Owners',
  'Dependencies',
  'IsLatestVersion',
  'IsAbsoluteLatestVersion',
  'IsPrerelease',
  'Listed',
  'IsApproved',
  'IsDownloadCacheAvailable',
  'PackageTestResultStatus',
  'PackageStatus',
  'Published',
  'Created',
  'LastUpdated',
  'LastEdited',
  'DownloadCount',
  'VersionDownloadCount',
  'PackageSize',
] as const;
export type QueryProperty = (typeof queryProperties)[number];

/**
 * This feed has no moderation: every package is approved (`--approved-only` finds it) and has neither a test result nor a
 * download cache (spec nuget-v2 9.5). `odata/atom.ts` and `$filter` have to use the same values.
 */
export const moderation = {
  IsApproved: true,
  IsDownloadCacheAvailable: false,
  PackageStatus: 'Approved',
  PackageTestResultStatus: 'Exempted',
} as const;

/** The `Published` date that clients see for an unlisted version (spec nuget-v2 9.5); the row keeps the real date. */
export const unlistedPublished = new Date('1900-01-01T00:00:00Z');

export type CompareOperator = 'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le';
/** Every function allowed in `$filter`; their costs are in `cost.ts`. */
export const functionNames = [
  'substringof',
  'startswith',
  'endswith',
  'tolower',
  'toupper',
  'trim',
  'length',
  'indexof',
  'concat',
] as const;
export type FunctionName = (typeof functionNames)[number];

/** A parsed `$filter`. Dates are ISO 8601 texts in UTC. */
export type Expression =
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'date'; readonly value: string }
  | { readonly kind: 'null' }
  | { readonly kind: 'property'; readonly name: QueryProperty }
  | { readonly kind: 'call'; readonly name: FunctionName; readonly args: readonly Expression[] }
  | {
      readonly kind: 'compare';
      readonly operator: CompareOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'not'; readonly operand: Expression };

export type Order = { readonly by: QueryProperty; readonly descending: boolean };

export type PackageQuery = {
  readonly view: SemVerView;
  /** Exactly this id, in any case (FindPackagesById). */
  readonly id?: string;
  readonly where?: Expression;
  /**
   * Words that must all occur in Id, Title, Tags, Summary or Description, in any case. An id equal to the whole text comes first
   * among rows that `orderBy` leaves equal.
   */
  readonly search?: readonly string[];
  /** Only packages of one of these types, in any case; packages that name none have `plainPackageType`. */
  readonly packageTypes?: readonly string[];
  /** Ids that begin with this text, in any case, come before all others. */
  readonly idsFirst?: string;
  /** Search() hides unlisted packages; FindPackagesById() and Packages() show them (spec nuget-v2 10.4). */
  readonly includeUnlisted: boolean;
  readonly includePrerelease: boolean;
  /** Ties are always broken by id, then version descending, so that paging is stable. */
  readonly orderBy: readonly Order[];
  /**
   * Only rows after this version in the query's order: the last row of the page before. So a page costs the same wherever it is,
   * and new packages shift nothing.
   */
  readonly after?: { readonly id: string; readonly version: string };
  readonly skip: number;
  /** The maximum number of rows. */
  readonly take: number;
};
