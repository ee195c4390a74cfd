import type { Nuspec } from '../../../formats/nuspec.ts';
import type { PackageRow } from '../../../server/catalog/catalog.ts';

export const fullNuspec: Nuspec = {
  id: 'delve',
  version: '1.22.0-beta.1',
  title: 'Delve "dlv" & friends',
  authors: 'Derek Parker, Delve contributors',
  owners: 'tools',
  description: 'A debugger <for> Go.\r\nIt ends with ]]> and \u{1f41e}.',
  summary: 'Debugger & more',
  releaseNotes: 'https://github.com/go-delve/delve/releases',
  copyright: '(c) 2014',
  language: 'en-US',
  tags: ['go', 'debugger'],
  projectUrl: 'https://github.com/go-delve/delve',
  licenseUrl: 'https://github.com/go-delve/delve/blob/master/LICENSE?a=1&b=2',
  iconUrl: 'not an address',
  projectSourceUrl: 'https://github.com/go-delve/delve',
  packageSourceUrl: 'https://example.test/source',
  docsUrl: 'https://example.test/docs',
  mailingListUrl: 'https://example.test/list',
  bugTrackerUrl: 'https://example.test/bugs',
  wikiUrl: 'javascript:alert(1)',
  requireLicenseAcceptance: false,
  developmentDependency: true,
  minClientVersion: '2.8',
  dependencies: [
    { id: 'lower', range: '[1.0.0,2.0.0)' },
    { id: 'upper', targetFramework: 'net45' },
    { id: 'any' },
  ],
};

export const fullRow: PackageRow = {
  id: 'Delve',
  version: '1.22-beta.1+build.5',
  normalizedVersion: '1.22.0-beta.1',
  isPrerelease: true,
  isListed: true,
  isLatest: false,
  isAbsoluteLatest: true,
  nuspec: fullNuspec,
  sha256: '0'.repeat(64),
  sha512: 'ab'.repeat(64),
  sizeBytes: 12_345_678_901,
  created: new Date('2026-01-02T03:04:05.678Z'),
  published: new Date('2026-01-02T03:04:05.678Z'),
  lastEdited: new Date('2026-02-03T04:05:06.789Z'),
  downloads: 3_000_000_000,
  versionDownloads: 7,
};

/** Nothing but what every package has, and unlisted. */
export const bareRow: PackageRow = {
  ...fullRow,
  id: 'lower',
  version: '1.0',
  normalizedVersion: '1.0.0',
  isPrerelease: false,
  isListed: false,
  isAbsoluteLatest: false,
  nuspec: {
    authors: 'tools',
    tags: [],
    requireLicenseAcceptance: false,
    developmentDependency: false,
    dependencies: [],
  },
  downloads: 0,
  versionDownloads: 0,
};
