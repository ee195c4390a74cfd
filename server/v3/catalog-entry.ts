import { isEveryVersion, parseNuGetRange } from '../../formats/nuget-range.ts';
import type { NuspecDependency } from '../../formats/nuspec-dependencies.ts';
import type { PackageRow } from '../catalog/catalog.ts';
import { type SemVerView, unlistedPublished } from '../catalog/query.ts';
import { fullVersion, type V3Links } from './links.ts';

/** What a registration tells of one version: the `catalogEntry` (spec nuget-v2 section 14). What is undefined is left out. */
export function catalogEntry(row: PackageRow, view: SemVerView, links: V3Links): object {
  const { nuspec } = row;
  return {
    '@id': `${links.leaf(view, row)}#entry`,
    '@type': 'PackageDetails',
    ...shownFields(row),
    copyright: nuspec.copyright,
    dependencyGroups: dependencyGroups(nuspec.dependencies, view, links),
    language: nuspec.language,
    listed: row.isListed,
    minClientVersion: nuspec.minClientVersion,
    packageContent: links.content(row),
    published: shownPublished(row),
    releaseNotes: nuspec.releaseNotes,
    requireLicenseAcceptance: nuspec.requireLicenseAcceptance,
  };
}

/** What search and registrations say alike. */
export function shownFields(row: PackageRow): object {
  const { nuspec } = row;
  return {
    id: row.id,
    version: fullVersion(row),
    title: nuspec.title ?? row.id,
    authors: nuspec.authors,
    description: nuspec.description ?? '',
    summary: nuspec.summary ?? '',
    tags: nuspec.tags,
    iconUrl: webAddress(nuspec.iconUrl),
    licenseUrl: webAddress(nuspec.licenseUrl),
    projectUrl: webAddress(nuspec.projectUrl),
  };
}

/** As on v2 (spec nuget-v2 9.5): old clients know an unlisted version by its date. */
export function shownPublished({ isListed, published }: PackageRow): string {
  return (isListed ? published : unlistedPublished).toISOString();
}

function dependencyGroups(
  dependencies: readonly NuspecDependency[],
  view: SemVerView,
  links: V3Links,
): readonly object[] {
  const frameworks = [...new Set(dependencies.map(({ targetFramework }) => targetFramework))];
  return frameworks.map((targetFramework) => ({
    '@type': 'PackageDependencyGroup',
    targetFramework,
    dependencies: dependencies
      // An empty id says that its framework has no dependencies.
      .filter((dependency) => dependency.targetFramework === targetFramework && dependency.id !== '')
      .map(({ id, range }) => ({
        '@type': 'PackageDependency',
        id,
        range: shownRange(range),
        registration: links.registration(view, id),
      })),
  }));
}

/** Every version is `(, )` on v3, which v2 clients misread. */
function shownRange(range = ''): string {
  const parsed = parseNuGetRange(range);
  return parsed === undefined || isEveryVersion(parsed) ? '(, )' : range;
}

/** Clients make links and pictures of them. */
function webAddress(text: string | undefined): string | undefined {
  return text !== undefined && /^https?:\/\//i.test(text) && URL.canParse(text) ? text : undefined;
}
