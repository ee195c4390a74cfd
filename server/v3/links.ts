import { parseNuGetVersion } from '../../formats/nuget-version.ts';
import type { PackageRow } from '../catalog/catalog.ts';
import type { SemVerView } from '../catalog/query.ts';

/**
 * Absolute addresses of the v3 feed. Ids and versions in paths are in lower case, as its clients write them (spec nuget-v2 14).
 */
export type V3Links = {
  /** The server's address, without trailing slash. */
  readonly root: string;
  /** `/c/ID` at the addresses of one client, else empty. */
  readonly client: string;
  /** The address of v3, without trailing slash. */
  readonly base: string;
  readonly search: string;
  readonly autocomplete: string;
  readonly publish: string;
  /** Templates for clients to fill in. */
  readonly details: string;
  readonly report: string;
  readonly readme: string;
  /** Base of the flat container, with trailing slash. */
  readonly flat: string;
  /** Base of a registration hive, with trailing slash: `semver1` leaves out versions that older clients cannot read. */
  hive(view: SemVerView): string;
  registration(view: SemVerView, id: string): string;
  page(view: SemVerView, id: string, lower: string, upper: string): string;
  leaf(view: SemVerView, row: Pick<PackageRow, 'id' | 'normalizedVersion'>): string;
  /** The `catalogEntry` address of a leaf. */
  entry(view: SemVerView, row: PackageRow): string;
  content(row: PackageRow): string;
};

/** From the configured public URL, never from the Host header (spec nuget-v2 section 11). */
export function v3Links(publicUrl: string, client = ''): V3Links {
  const root = publicUrl.replace(/\/+$/, '');
  const base = `${root}/v3${client}`;
  const flat = `${base}/flat/`;
  const hive = (view: SemVerView) => `${base}/${hivePaths[view]}/`;
  return {
    ...{ root, client, base },
    search: `${base}/search`,
    autocomplete: `${base}/autocomplete`,
    publish: `${root}/v3/publish`,
    details: `${root}/packages/{id}`,
    report: `${root}/packages/{id}/{version}/report`,
    readme: `${flat}{lower_id}/{lower_version}/readme`,
    flat,
    hive,
    registration: (view, id) => `${hive(view)}${lower(id)}/index.json`,
    page: (view, id, first, last) =>
      `${hive(view)}${lower(id)}/page/${first.toLowerCase()}/${last.toLowerCase()}.json`,
    leaf: (view, row) => `${hive(view)}${lower(row.id)}/${row.normalizedVersion.toLowerCase()}.json`,
    entry: (view, row) => `${hive(view)}${lower(row.id)}/entry/${row.normalizedVersion.toLowerCase()}.json`,
    content: ({ id, normalizedVersion }) => {
      const version = normalizedVersion.toLowerCase();
      return `${flat}${lower(id)}/${version}/${lower(id)}.${version}.nupkg`;
    },
  };
}

/** The mount point of each hive under /v3. */
export const hivePaths: Readonly<Record<SemVerView, string>> = { semver2: 'reg', semver1: 'reg-semver1' };

/** A version as v3 documents show it: normalized, with its metadata. */
export function fullVersion({
  version,
  normalizedVersion,
}: Pick<PackageRow, 'version' | 'normalizedVersion'>): string {
  const metadata = parseNuGetVersion(version)?.metadata ?? '';
  return metadata === '' ? normalizedVersion : `${normalizedVersion}+${metadata}`;
}

function lower(id: string): string {
  return encodeURIComponent(id.toLowerCase());
}
