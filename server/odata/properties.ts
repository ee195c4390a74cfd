import { dependenciesText } from '../../formats/nuspec.ts';
import type { PackageRow } from '../catalog/catalog.ts';
import { moderation, unlistedPublished } from '../catalog/query.ts';
import {
  type AddressOf,
  iconAddress,
  licenseAddress,
  type NamedFile,
  webAddress,
} from '../feed/shown-addresses.ts';
import type { FeedLinks } from './links.ts';

type EdmType = 'Edm.String' | 'Edm.Boolean' | 'Edm.Int32' | 'Edm.Int64' | 'Edm.DateTime';
export type PropertyValue = string | number | boolean | Date | undefined;

/** Properties that have their own Atom element; `$metadata` declares it (spec nuget-v2 9.2). */
type AtomPlace = 'SyndicationTitle' | 'SyndicationAuthorName' | 'SyndicationSummary' | 'SyndicationUpdated';

/** Values that never change and are equal in most versions of a package. */
export type OfNuspec = { readonly ofNuspec: (nuspec: PackageRow['nuspec']) => PropertyValue };

/** Values that all versions of an id share. */
export type OfId = { readonly ofId: (id: string, links: FeedLinks) => PropertyValue };

/** A value from the nuspec, or else the address of a file in the package, which differs for each row. */
export type OfFile = OfNuspec & {
  readonly file: NamedFile;
  readonly address: AddressOf;
};

/** Values that change with every download. */
export type OfCount = { readonly count: 'downloads' | 'versionDownloads' };

export type FeedProperty = {
  readonly name: string;
  readonly type: EdmType;
  /** Only these may be null: WCF rejects null numbers and booleans (spec nuget-v2 9.5). */
  readonly isNullable: boolean;
  readonly atom?: AtomPlace;
  /** The same for every row, or made from the row (never empty then), or from its id or nuspec alone. */
  readonly value:
    | PropertyValue
    | ((row: PackageRow) => Exclude<PropertyValue, undefined>)
    | OfId
    | OfNuspec
    | OfFile
    | OfCount;
};

const maxInt32 = 2_147_483_647;

/** The properties of a package on the feed, in the order of spec nuget-v2 9.5; `$metadata` and every entry use this list. */
export const feedProperties: readonly FeedProperty[] = [
  required('Id', 'Edm.String', { ofId: (id) => id }, 'SyndicationTitle'),
  required('Version', 'Edm.String', (row) => row.version),
  required('NormalizedVersion', 'Edm.String', (row) => row.normalizedVersion),
  optional('Title', 'Edm.String', { ofNuspec: (nuspec) => nuspec.title }),
  optional('Description', 'Edm.String', { ofNuspec: (nuspec) => nuspec.description }),
  optional('Summary', 'Edm.String', { ofNuspec: (nuspec) => nuspec.summary }, 'SyndicationSummary'),
  optional('Authors', 'Edm.String', { ofNuspec: (nuspec) => nuspec.authors }, 'SyndicationAuthorName'),
  // As in NuGet.Server; clients that do not know owners ignore it.
  optional('Owners', 'Edm.String', { ofNuspec: (nuspec) => nuspec.owners }),
  optional('Dependencies', 'Edm.String', { ofNuspec: (nuspec) => dependenciesText(nuspec) }),
  optional('Tags', 'Edm.String', { ofNuspec: (nuspec) => nuspec.tags.join(' ') }),
  optional('ReleaseNotes', 'Edm.String', { ofNuspec: (nuspec) => nuspec.releaseNotes }),
  optional('Copyright', 'Edm.String', { ofNuspec: (nuspec) => nuspec.copyright }),
  optional('Language', 'Edm.String', { ofNuspec: (nuspec) => nuspec.language }),
  optional('IconUrl', 'Edm.String', ofFile('icon', iconAddress)),
  optional('LicenseUrl', 'Edm.String', ofFile('license', licenseAddress)),
  optional('ProjectUrl', 'Edm.String', { ofNuspec: (nuspec) => webAddress(nuspec.projectUrl) }),
  optional('GalleryDetailsUrl', 'Edm.String', { ofId: (id, links) => links.page(id) }),
  optional('ReportAbuseUrl', 'Edm.String', undefined),
  optional('ProjectSourceUrl', 'Edm.String', { ofNuspec: (nuspec) => webAddress(nuspec.projectSourceUrl) }),
  optional('PackageSourceUrl', 'Edm.String', { ofNuspec: (nuspec) => webAddress(nuspec.packageSourceUrl) }),
  optional('DocsUrl', 'Edm.String', { ofNuspec: (nuspec) => webAddress(nuspec.docsUrl) }),
  optional('MailingListUrl', 'Edm.String', { ofNuspec: (nuspec) => webAddress(nuspec.mailingListUrl) }),
  optional('BugTrackerUrl', 'Edm.String', { ofNuspec: (nuspec) => webAddress(nuspec.bugTrackerUrl) }),
  optional('WikiUrl', 'Edm.String', { ofNuspec: (nuspec) => webAddress(nuspec.wikiUrl) }),
  required('RequireLicenseAcceptance', 'Edm.Boolean', {
    ofNuspec: (nuspec) => nuspec.requireLicenseAcceptance,
  }),
  required('DevelopmentDependency', 'Edm.Boolean', { ofNuspec: (nuspec) => nuspec.developmentDependency }),
  required('DownloadCount', 'Edm.Int32', { count: 'downloads' }),
  required('VersionDownloadCount', 'Edm.Int32', { count: 'versionDownloads' }),
  required('PackageSize', 'Edm.Int64', (row) => row.sizeBytes),
  // Base64, distinguished from hex by its 88 characters; choco compares it with the downloaded bytes (spec nuget-v2 4.3).
  optional('PackageHash', 'Edm.String', (row) => base64Of(row.sha512)),
  optional('PackageHashAlgorithm', 'Edm.String', 'SHA512'),
  required('Created', 'Edm.DateTime', (row) => row.created),
  optional('LastEdited', 'Edm.DateTime', (row) => row.lastEdited),
  required('Published', 'Edm.DateTime', shownPublished),
  required('LastUpdated', 'Edm.DateTime', (row) => row.lastEdited, 'SyndicationUpdated'),
  required('IsLatestVersion', 'Edm.Boolean', (row) => row.isLatest),
  required('IsAbsoluteLatestVersion', 'Edm.Boolean', (row) => row.isAbsoluteLatest),
  required('IsPrerelease', 'Edm.Boolean', (row) => row.isPrerelease),
  required('Listed', 'Edm.Boolean', (row) => row.isListed),
  optional('MinClientVersion', 'Edm.String', { ofNuspec: (nuspec) => nuspec.minClientVersion }),
  required('IsApproved', 'Edm.Boolean', moderation.IsApproved),
  optional('PackageStatus', 'Edm.String', moderation.PackageStatus),
  optional('PackageSubmittedStatus', 'Edm.String', 'Ready'),
  optional('PackageTestResultStatus', 'Edm.String', moderation.PackageTestResultStatus),
  // choco info prints these three, and shows an absent one as 1 January of year 1; without moderation, all of it happens at
  // publication.
  optional('PackageTestResultStatusDate', 'Edm.DateTime', (row) => row.created),
  optional('PackageValidationResultStatus', 'Edm.String', undefined),
  optional('PackageValidationResultDate', 'Edm.DateTime', (row) => row.created),
  optional('PackageCleanupResultDate', 'Edm.DateTime', undefined),
  optional('PackageReviewedDate', 'Edm.DateTime', undefined),
  optional('PackageApprovedDate', 'Edm.DateTime', (row) => row.created),
  optional('PackageReviewer', 'Edm.String', undefined),
  required('IsDownloadCacheAvailable', 'Edm.Boolean', moderation.IsDownloadCacheAvailable),
  optional('DownloadCacheStatus', 'Edm.String', undefined),
  optional('DownloadCacheDate', 'Edm.DateTime', undefined),
  optional('DownloadCache', 'Edm.String', undefined),
  optional('PackageScanStatus', 'Edm.String', undefined),
  optional('PackageScanResultDate', 'Edm.DateTime', undefined),
  optional('PackageScanFlagResult', 'Edm.String', undefined),
];

const hashBytes = Buffer.alloc(64);

/** In memory that is used again, since a page shows many. */
function base64Of(sha512: string): string {
  return hashBytes.toString('base64', 0, hashBytes.write(sha512, 'hex'));
}

/** Limited to the range of its type. */
export function shownCount(count: number): number {
  return Math.min(count, maxInt32);
}

/** Old clients recognize an unlisted version by its date. */
export function shownPublished({ isListed, published }: PackageRow): Date {
  return isListed ? published : unlistedPublished;
}

function required(name: string, type: EdmType, value: FeedProperty['value'], atom?: AtomPlace): FeedProperty {
  return { name, type, isNullable: false, value, ...(atom && { atom }) };
}

function optional(name: string, type: EdmType, value: FeedProperty['value'], atom?: AtomPlace): FeedProperty {
  return { name, type, isNullable: true, value, ...(atom && { atom }) };
}

/** If the nuspec names no such file, the address does not depend on the row. */
function ofFile(file: NamedFile, address: AddressOf): OfFile {
  const noRow = { id: '', normalizedVersion: '' };
  return { file, address, ofNuspec: (nuspec) => address({ ...noRow, nuspec }, '') };
}
