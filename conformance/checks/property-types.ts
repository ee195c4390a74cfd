/** Every property of spec nuget-v2 9.5 with its type, but those that may be left out. */
export const propertyTypes: Readonly<Record<string, string>> = {
  Id: 'Edm.String',
  Version: 'Edm.String',
  NormalizedVersion: 'Edm.String',
  ...strings('Title', 'Description', 'Dependencies', 'Tags', 'ReleaseNotes', 'Copyright', 'Language'),
  ...strings('IconUrl', 'LicenseUrl', 'ProjectUrl', 'GalleryDetailsUrl', 'ReportAbuseUrl'),
  ...strings('ProjectSourceUrl', 'PackageSourceUrl', 'DocsUrl', 'MailingListUrl', 'BugTrackerUrl'),
  ...strings('PackageHash', 'PackageHashAlgorithm', 'MinClientVersion'),
  RequireLicenseAcceptance: 'Edm.Boolean',
  DownloadCount: 'Edm.Int32',
  VersionDownloadCount: 'Edm.Int32',
  PackageSize: 'Edm.Int64',
  Created: 'Edm.DateTime',
  LastEdited: 'Edm.DateTime',
  Published: 'Edm.DateTime',
  IsLatestVersion: 'Edm.Boolean',
  IsAbsoluteLatestVersion: 'Edm.Boolean',
  IsPrerelease: 'Edm.Boolean',
  IsApproved: 'Edm.Boolean',
  ...strings(
    'PackageStatus',
    'PackageSubmittedStatus',
    'PackageTestResultStatus',
    'PackageValidationResultStatus',
  ),
  ...strings(
    'PackageReviewer',
    'DownloadCacheStatus',
    'DownloadCache',
    'PackageScanStatus',
    'PackageScanFlagResult',
  ),
  PackageTestResultStatusDate: 'Edm.DateTime',
  PackageValidationResultDate: 'Edm.DateTime',
  PackageCleanupResultDate: 'Edm.DateTime',
  PackageReviewedDate: 'Edm.DateTime',
  PackageApprovedDate: 'Edm.DateTime',
  DownloadCacheDate: 'Edm.DateTime',
  PackageScanResultDate: 'Edm.DateTime',
  IsDownloadCacheAvailable: 'Edm.Boolean',
};

/** May stand in an entry too; not required, but typed. */
export const furtherTypes: Readonly<Record<string, string>> = {
  DevelopmentDependency: 'Edm.Boolean',
  Listed: 'Edm.Boolean',
  LastUpdated: 'Edm.DateTime',
};

export const feedMappings = {
  Id: 'SyndicationTitle',
  Authors: 'SyndicationAuthorName',
  Summary: 'SyndicationSummary',
  LastUpdated: 'SyndicationUpdated',
} as const;

/** Mapped away into Atom elements by most servers, so not asked for among the properties of an entry. */
export const mappedAway: readonly string[] = ['Id'];

function strings(...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, 'Edm.String']));
}
