import { isEveryVersion, parseNuGetRange } from '../../formats/nuget-range.ts';
import type { NuspecDependency } from '../../formats/nuspec-dependencies.ts';
import { plainPackageType } from '../../formats/nuspec-sdk.ts';
import type { PackageRow } from '../catalog/catalog.ts';
import { type SemVerView, unlistedPublished } from '../catalog/query.ts';
import { iconAddress, licenseAddress, readmeAddress, webAddress } from '../feed/shown-addresses.ts';
import { fullVersion, type V3Links } from './links.ts';

/** The `catalogEntry` of a version in a registration (spec nuget-v2 section 14). Undefined fields are left out. */
export function catalogEntry(row: PackageRow, view: SemVerView, links: V3Links): object {
  const { nuspec } = row;
  return {
    '@id': links.entry(view, row),
    '@type': 'PackageDetails',
    ...shownFields(row, links),
    copyright: nuspec.copyright,
    dependencyGroups: dependencyGroups(nuspec.dependencies),
    developmentDependency: nuspec.developmentDependency,
    language: nuspec.language,
    listed: row.isListed,
    minClientVersion: nuspec.minClientVersion,
    packageContent: links.content(row),
    published: shownPublished(row),
    releaseNotes: nuspec.releaseNotes,
    repository: nuspec.repository,
    requireLicenseAcceptance: nuspec.requireLicenseAcceptance,
  };
}

/** The entry as a separate document, with fields that clients look for only there (spec nuget-v2 18.3). */
export function entryDocument(row: PackageRow, view: SemVerView, links: V3Links): object {
  return {
    ...catalogEntry(row, view, links),
    '@type': ['PackageDetails', 'catalog:Permalink'],
    created: row.created.toISOString(),
    isPrerelease: row.isPrerelease,
    lastEdited: row.lastEdited.toISOString(),
    packageHash: Buffer.from(row.sha512, 'hex').toString('base64'),
    packageHashAlgorithm: 'SHA512',
    packageSize: row.sizeBytes,
    verbatimVersion: row.version,
  };
}

/** The fields that search and registrations share. */
export function shownFields(row: PackageRow, links: V3Links): object {
  const { nuspec } = row;
  return {
    id: row.id,
    version: fullVersion(row),
    title: nuspec.title ?? row.id,
    authors: nuspec.authors,
    owners: nuspec.owners,
    description: nuspec.description ?? '',
    summary: nuspec.summary ?? '',
    tags: nuspec.tags,
    iconUrl: iconAddress(row, links.root, links.client),
    licenseUrl: licenseAddress(row, links.root, links.client),
    licenseExpression: nuspec.license?.type === 'expression' ? nuspec.license.text : undefined,
    projectUrl: webAddress(nuspec.projectUrl),
    readmeUrl: readmeAddress(row, links.root, links.client),
    packageTypes: nuspec.packageTypes ?? [{ name: plainPackageType }],
  };
}

/** As on v2 (spec nuget-v2 9.5): old clients recognize an unlisted version by its date. */
export function shownPublished({ isListed, published }: PackageRow): string {
  return (isListed ? published : unlistedPublished).toISOString();
}

/** Without addresses of registrations: a dependency may be on another feed, and every address here must work. */
function dependencyGroups(dependencies: readonly NuspecDependency[]): readonly object[] {
  const frameworks = [...new Set(dependencies.map(({ targetFramework }) => targetFramework))];
  return frameworks.map((targetFramework) => ({
    '@type': 'PackageDependencyGroup',
    targetFramework,
    dependencies: dependencies
      // An empty id means that its framework has no dependencies.
      .filter((dependency) => dependency.targetFramework === targetFramework && dependency.id !== '')
      .map(({ id, range }) => ({
        '@type': 'PackageDependency',
        id,
        range: shownRange(range),
      })),
  }));
}

/** All versions are `(, )` on v3, which v2 clients misread. */
function shownRange(range = ''): string {
  const parsed = parseNuGetRange(range);
  return parsed === undefined || isEveryVersion(parsed) ? '(, )' : range;
}
