import {
  isPrerelease,
  parseNuGetVersion,
  printNormalizedVersion,
  versionSortKey,
} from '../../../formats/nuget-version.ts';
import { dependenciesText, type Nuspec } from '../../../formats/nuspec.ts';
import { isReadableBySemVer1 } from '../../../formats/semver1.ts';
import type { SqlValue } from '../../database/statements.ts';
import type { NewPackage, PackageRow, RowNuspec } from '../catalog.ts';
import type { Nuspecs } from '../nuspecs.ts';
import type { SemVerView } from '../query.ts';

/** A package's identity, in lower case (spec nuget-v2 12.1, 12.5); undefined when the version is invalid. */
export type PackageKey = { readonly idKey: string; readonly versionKey: string };

export function packageKey(id: string, version: string): PackageKey | undefined {
  const parsed = parseNuGetVersion(version);
  return parsed && { idKey: id.toLowerCase(), versionKey: versionSortKey(parsed) };
}

/**
 * The values of `packages` and `nuspecs` by column.
 * @throws TypeError when the version is invalid, which the nuspec reader excludes
 */
export function toColumns(pkg: NewPackage): { packages: Columns; nuspecs: Columns & { nuspec: string } } {
  const version = parseNuGetVersion(pkg.version);
  if (!version) throw new TypeError(`Not a version: ${pkg.version}`);
  const { nuspec } = pkg;
  const tags = nuspec.tags.join(' ');
  return {
    packages: {
      id_key: pkg.id.toLowerCase(),
      version_key: versionSortKey(version),
      version: pkg.version,
      normalized_version: printNormalizedVersion(version),
      is_prerelease: Number(isPrerelease(version)),
      in_semver1: Number(isReadableBySemVer1(nuspec)),
      is_listed: Number(pkg.isListed ?? true),
      size_bytes: pkg.sizeBytes,
      created: pkg.published.getTime(),
      published: pkg.published.getTime(),
      last_edited: pkg.published.getTime(),
      sha256: pkg.sha256,
      sha512: pkg.sha512,
      package_types: packageTypesText(nuspec),
    },
    nuspecs: {
      search: searchText([pkg.id, nuspec.title, tags, nuspec.summary, nuspec.description]),
      tags_key: tags.toLowerCase() || null,
      tags: tags || null,
      title: nuspec.title ?? null,
      authors: nuspec.authors,
      owners: nuspec.owners ?? null,
      summary: nuspec.summary ?? null,
      description: nuspec.description ?? null,
      dependencies: dependenciesText(nuspec) || null,
      nuspec: nuspecText(nuspec),
    },
  };
}

/** Equal for all versions with the same texts, which then share it. */
export function nuspecText({ id: _id, version: _version, ...rest }: Nuspec): string {
  return JSON.stringify(rest);
}

/** Lower case, each between blanks; null for a package that names none. */
export function packageTypesText({ packageTypes = [] }: Pick<Nuspec, 'packageTypes'>): string | null {
  return packageTypes.length === 0
    ? null
    : ` ${packageTypes.map(({ name }) => name.toLowerCase()).join(' ')} `;
}
type Columns = Readonly<Record<string, SqlValue>>;

/** In lower case, separated by a character that no field contains (control characters are refused at push). */
function searchText(fields: readonly (string | undefined)[]): string {
  return fields.map((field) => field?.toLowerCase() ?? '').join('\u0001');
}

/** What a held version has, as a package has it: all but what others see of it. */
export const heldColumns = [
  'pk',
  'id_key',
  'version_key',
  'version',
  'normalized_version',
  'is_prerelease',
  'in_semver1',
  'downloads',
  'size_bytes',
  'created',
  'published',
  'last_edited',
  'sha256',
  'sha512',
  'nuspec_pk',
  'package_types',
] as const;

/** The columns that `toPackageRow` reads. None is from `nuspecs`, since most rows share those. */
export function rowColumns(view: SemVerView): string {
  return `i.id, p.version, p.normalized_version, p.is_prerelease, p.is_listed, p.latest_${view} AS latest,
    p.newest_${view} AS newest, p.nuspec_pk, p.sha256, p.sha512, p.size_bytes, p.created, p.published, p.last_edited,
    i.downloads, p.downloads AS version_downloads`;
}

/** An array in the order of `rowColumns`: an object with named columns takes twice as long to make. */
export type RawRow = [
  id: string,
  version: string,
  normalizedVersion: string,
  isPrerelease: number,
  isListed: number,
  latest: number,
  newest: number,
  nuspecPk: number,
  sha256: string,
  sha512: string,
  sizeBytes: number,
  created: number,
  published: number,
  lastEdited: number,
  downloads: number,
  versionDownloads: number,
];

/** Like `toPackageRow`, but reads the nuspec on first use: those of thousands of rows may not fit into memory. */
export function toLatePackageRow(raw: RawRow, nuspecs: Pick<Nuspecs, 'of'>): PackageRow {
  const nuspecPk = raw[7];
  const { nuspec: _, ...rest } = toPackageRow(raw, noNuspecs);
  return {
    ...rest,
    get nuspec() {
      return nuspecs.of(nuspecPk);
    },
  };
}
const noNuspecs: Pick<Nuspecs, 'of'> = { of: () => ({ authors: '' }) as RowNuspec };

export function toPackageRow(raw: RawRow, nuspecs: Pick<Nuspecs, 'of'>): PackageRow {
  const [id, version, normalizedVersion, isPrerelease, isListed, latest, newest, nuspecPk] = raw;
  const [, , , , , , , , sha256, sha512, sizeBytes, created, published, lastEdited] = raw;
  return {
    id,
    version,
    normalizedVersion,
    isPrerelease: isPrerelease === 1,
    isListed: isListed === 1,
    isLatest: latest === 1,
    isAbsoluteLatest: newest === 1,
    nuspec: nuspecs.of(nuspecPk),
    sha256,
    sha512,
    sizeBytes,
    created: new Date(created),
    published: new Date(published),
    lastEdited: new Date(lastEdited),
    downloads: raw[14],
    versionDownloads: raw[15],
  };
}
