import { parseNuGetVersion } from '../../formats/nuget-version.ts';

/**
 * The neutral query that a route may send to the catalog: what an OData query means once its text is gone.
 * `odata/filter.ts` makes these values, `sql/query.ts` turns them into SQL, nothing else knows both.
 */

/** Which versions a client can read (spec nuget-v2 12.3): `semver1` hides SemVer 2 versions and has latest flags of its own. */
export type SemVerView = 'semver1' | 'semver2';

/** Only who says that they can read SemVer 2 gets it; whatever is no version is no such promise (spec nuget-v2 12.3, 18.1). */
export function viewOfLevel(semVerLevel: string): SemVerView {
  const level = parseNuGetVersion(semVerLevel);
  return level !== undefined && level.numbers[0] >= 2 ? 'semver2' : 'semver1';
}

/** Every property that may stand in `$filter` or `$orderby` (spec nuget-v2 section 8); the literal is the whitelist. */
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
 * This feed has no moderation: every package is approved (`--approved-only` finds it) and has no test result or
 * download cache (spec nuget-v2 9.5). What `odata/atom.ts` writes and what `$filter` sees must be the same values.
 */
export const moderation = {
  IsApproved: true,
  IsDownloadCacheAvailable: false,
  PackageStatus: 'Approved',
  PackageTestResultStatus: 'Exempted',
} as const;

/** What clients see as `Published` of an unlisted version (spec nuget-v2 9.5); the row keeps the true date. */
export const unlistedPublished = new Date('1900-01-01T00:00:00Z');

export type CompareOperator = 'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le';
/** Every function that may stand in `$filter`; what each costs: `cost.ts`. */
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

/** A `$filter`, parsed. A date literal is an ISO 8601 text in UTC. */
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
  /** Exactly this id, whatever its case (FindPackagesById). */
  readonly id?: string;
  readonly where?: Expression;
  /** Words that must all occur in Id, Title, Tags, Summary or Description, whatever their case; an id equal to the whole text comes before its equals by `orderBy`. */
  readonly search?: readonly string[];
  /** Only packages of one of these types, whatever their case; those that name none are of `plainPackageType`. */
  readonly packageTypes?: readonly string[];
  /** Ids that begin with this text, whatever its case, come before all others. */
  readonly idsFirst?: string;
  /** Search() hides unlisted packages, FindPackagesById() and Packages() keep them (spec nuget-v2 10.4). */
  readonly includeUnlisted: boolean;
  readonly includePrerelease: boolean;
  /** Ties are always broken by id, then version descending, so that paging is stable. */
  readonly orderBy: readonly Order[];
  /**
   * Only rows behind this version in the order of the query: the last row of the page before. Behind it and not so many
   * rows further, a page costs the same wherever it is, and what is published meanwhile shifts nothing.
   */
  readonly after?: { readonly id: string; readonly version: string };
  readonly skip: number;
  /** How many rows at most. */
  readonly take: number;
};
