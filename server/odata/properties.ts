import { dependenciesText } from '../../formats/nuspec.ts';
import type { PackageRow } from '../catalog/catalog.ts';
import { moderation, unlistedPublished } from '../catalog/query.ts';
import type { FeedLinks } from './links.ts';

type EdmType = 'Edm.String' | 'Edm.Boolean' | 'Edm.Int32' | 'Edm.Int64' | 'Edm.DateTime';
export type PropertyValue = string | number | boolean | Date | undefined;

/** Where Atom has an element of its own for a property; `$metadata` says so (spec nuget-v2 9.2). */
type AtomPlace = 'SyndicationTitle' | 'SyndicationAuthorName' | 'SyndicationSummary' | 'SyndicationUpdated';

export type FeedProperty = {
  readonly name: string;
  readonly type: EdmType;
  /** Only these may be null: WCF rejects null numbers and booleans (spec nuget-v2 9.5). */
  readonly isNullable: boolean;
  readonly atom?: AtomPlace;
  /** The same for every row, or made from the row. */
  readonly value: PropertyValue | ((row: PackageRow, links: FeedLinks) => PropertyValue);
};

const maxInt32 = 2_147_483_647;

/** The properties of a package on the feed, in the order of spec nuget-v2 9.5; `$metadata` and every entry are made from this list. */
export const feedProperties: readonly FeedProperty[] = [
  required('Id', 'Edm.String', (row) => row.id, 'SyndicationTitle'),
  required('Version', 'Edm.String', (row) => row.version),
  required('NormalizedVersion', 'Edm.String', (row) => row.normalizedVersion),
  optional('Title', 'Edm.String', (row) => row.nuspec.title),
  optional('Description', 'Edm.String', (row) => row.nuspec.description),
  optional('Summary', 'Edm.String', (row) => row.nuspec.summary, 'SyndicationSummary'),
  optional('Authors', 'Edm.String', (row) => row.nuspec.authors, 'SyndicationAuthorName'),
  optional('Dependencies', 'Edm.String', (row) => dependenciesText(row.nuspec)),
  optional('Tags', 'Edm.String', (row) => row.nuspec.tags.join(' ')),
  optional('ReleaseNotes', 'Edm.String', (row) => row.nuspec.releaseNotes),
  optional('Copyright', 'Edm.String', (row) => row.nuspec.copyright),
  optional('Language', 'Edm.String', (row) => row.nuspec.language),
  optional('IconUrl', 'Edm.String', (row) => webAddress(row.nuspec.iconUrl)),
  optional('LicenseUrl', 'Edm.String', (row) => webAddress(row.nuspec.licenseUrl)),
  optional('ProjectUrl', 'Edm.String', (row) => webAddress(row.nuspec.projectUrl)),
  optional('GalleryDetailsUrl', 'Edm.String', (row, links) => links.page(row.id)),
  optional('ReportAbuseUrl', 'Edm.String', undefined),
  optional('ProjectSourceUrl', 'Edm.String', (row) => webAddress(row.nuspec.projectSourceUrl)),
  optional('PackageSourceUrl', 'Edm.String', (row) => webAddress(row.nuspec.packageSourceUrl)),
  optional('DocsUrl', 'Edm.String', (row) => webAddress(row.nuspec.docsUrl)),
  optional('MailingListUrl', 'Edm.String', (row) => webAddress(row.nuspec.mailingListUrl)),
  optional('BugTrackerUrl', 'Edm.String', (row) => webAddress(row.nuspec.bugTrackerUrl)),
  optional('WikiUrl', 'Edm.String', (row) => webAddress(row.nuspec.wikiUrl)),
  required('RequireLicenseAcceptance', 'Edm.Boolean', (row) => row.nuspec.requireLicenseAcceptance),
  required('DevelopmentDependency', 'Edm.Boolean', (row) => row.nuspec.developmentDependency),
  required('DownloadCount', 'Edm.Int32', (row) => Math.min(row.downloads, maxInt32)),
  required('VersionDownloadCount', 'Edm.Int32', (row) => Math.min(row.versionDownloads, maxInt32)),
  required('PackageSize', 'Edm.Int64', (row) => row.sizeBytes),
  // Base64, told from hex by its 88 characters; choco compares it with the bytes it got (spec nuget-v2 4.3).
  optional('PackageHash', 'Edm.String', (row) => Buffer.from(row.sha512, 'hex').toString('base64')),
  optional('PackageHashAlgorithm', 'Edm.String', 'SHA512'),
  required('Created', 'Edm.DateTime', (row) => row.created),
  optional('LastEdited', 'Edm.DateTime', (row) => row.lastEdited),
  required('Published', 'Edm.DateTime', (row) => (row.isListed ? row.published : unlistedPublished)),
  required('LastUpdated', 'Edm.DateTime', (row) => row.lastEdited, 'SyndicationUpdated'),
  required('IsLatestVersion', 'Edm.Boolean', (row) => row.isLatest),
  required('IsAbsoluteLatestVersion', 'Edm.Boolean', (row) => row.isAbsoluteLatest),
  required('IsPrerelease', 'Edm.Boolean', (row) => row.isPrerelease),
  required('Listed', 'Edm.Boolean', (row) => row.isListed),
  optional('MinClientVersion', 'Edm.String', (row) => row.nuspec.minClientVersion),
  required('IsApproved', 'Edm.Boolean', moderation.IsApproved),
  optional('PackageStatus', 'Edm.String', moderation.PackageStatus),
  optional('PackageSubmittedStatus', 'Edm.String', 'Ready'),
  optional('PackageTestResultStatus', 'Edm.String', moderation.PackageTestResultStatus),
  // choco info prints these three, and an absent one as 1 January of year 1; without moderation it all happens at publication.
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

function required(name: string, type: EdmType, value: FeedProperty['value'], atom?: AtomPlace): FeedProperty {
  return { name, type, isNullable: false, value, ...(atom && { atom }) };
}

function optional(name: string, type: EdmType, value: FeedProperty['value'], atom?: AtomPlace): FeedProperty {
  return { name, type, isNullable: true, value, ...(atom && { atom }) };
}

/** OneGet throws on what is no address (spec nuget-v2 9.5), and people click on it. */
function webAddress(text: string | undefined): string | undefined {
  return text !== undefined && /^https?:\/\//i.test(text) && URL.canParse(text) ? text : undefined;
}
