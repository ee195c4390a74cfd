import { moderation, type QueryProperty, type SemVerView, unlistedPublished } from '../query.ts';

/** The column of a property in the tables of migrations.ts (p = packages, i = ids, t = texts). */
export type Column = {
  readonly type: 'text' | 'number' | 'boolean' | 'date';
  readonly sql: string;
  /** The column for comparing and sorting, where a stored form makes that fast and correct. */
  readonly key?: string;
  /** Text that is matched in any case (spec nuget-v2 18.1; Tags: section 8). */
  readonly ignoresCase?: true;
  /** Words separated by blanks. */
  readonly isWordList?: true;
  /** `key` orders like versions; a text compared with it is parsed as a version. */
  readonly isVersion?: true;
};

/** How to join the other tables to `packages p`. CROSS JOIN keeps the order, so that the indexes of `packages` are used. */
export const joins = {
  i: 'CROSS JOIN ids i ON i.id_key = p.id_key',
  t: 'CROSS JOIN nuspecs t ON t.pk = p.nuspec_pk',
} as const;

/** Only these texts and parameters ever become SQL. */
export const columns: Record<SemVerView, Record<QueryProperty, Column>> = {
  semver1: columnsOf('semver1'),
  semver2: columnsOf('semver2'),
};

function columnsOf(view: SemVerView): Record<QueryProperty, Column> {
  return {
    Id: { type: 'text', sql: 'i.id', key: 'p.id_key', ignoresCase: true },
    Version: { type: 'text', sql: 'p.version', key: 'p.version_key', isVersion: true },
    NormalizedVersion: { type: 'text', sql: 'p.normalized_version', key: 'p.version_key', isVersion: true },
    Title: { type: 'text', sql: 't.title' },
    Summary: { type: 'text', sql: 't.summary' },
    Description: { type: 'text', sql: 't.description' },
    Tags: { type: 'text', sql: 't.tags', key: 't.tags_key', ignoresCase: true, isWordList: true },
    Authors: { type: 'text', sql: 't.authors' },
    Owners: { type: 'text', sql: 't.owners' },
    Dependencies: { type: 'text', sql: 't.dependencies' },
    IsLatestVersion: { type: 'boolean', sql: `p.latest_${view}` },
    IsAbsoluteLatestVersion: { type: 'boolean', sql: `p.newest_${view}` },
    IsPrerelease: { type: 'boolean', sql: 'p.is_prerelease' },
    Listed: { type: 'boolean', sql: 'p.is_listed' },
    IsApproved: { type: 'boolean', sql: String(Number(moderation.IsApproved)) },
    IsDownloadCacheAvailable: {
      type: 'boolean',
      sql: String(Number(moderation.IsDownloadCacheAvailable)),
    },
    PackageTestResultStatus: { type: 'text', sql: `'${moderation.PackageTestResultStatus}'` },
    PackageStatus: { type: 'text', sql: `'${moderation.PackageStatus}'` },
    Published: { type: 'date', sql: `iif(p.is_listed, p.published, ${unlistedPublished.getTime()})` },
    Created: { type: 'date', sql: 'p.created' },
    LastUpdated: { type: 'date', sql: 'p.last_edited' },
    LastEdited: { type: 'date', sql: 'p.last_edited' },
    DownloadCount: { type: 'number', sql: 'i.downloads' },
    VersionDownloadCount: { type: 'number', sql: 'p.downloads' },
    PackageSize: { type: 'number', sql: 'p.size_bytes' },
  };
}
