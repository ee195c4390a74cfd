import type { CatalogReader, PackageRow } from '../catalog/catalog.ts';
import type { Expression, PackageQuery, SemVerView } from '../catalog/query.ts';
import { type PageBounds, pageSize } from './registration.ts';

export type Versions = {
  readonly catalog: CatalogReader;
  readonly id: string;
  readonly view: SemVerView;
};

/** Rows with all their texts are read in steps of this size. */
const readAtOnce = 500;

/** The rows between two versions, both included, in the order of versions; at most `take`. */
export function findBetween(
  from: Versions,
  lower: string,
  upper: string,
  take: number,
): Promise<PackageRow[]> {
  const where: Expression = { kind: 'and', left: compare('ge', lower), right: compare('le', upper) };
  return from.catalog.query({ ...allOf(from), where, skip: 0, take });
}

/** The first rows, in the order of versions. */
export function findFirst(from: Versions, take: number): Promise<PackageRow[]> {
  return from.catalog.query({ ...allOf(from), skip: 0, take });
}

/** The bounds of an id's pages; only these rows are read, since the id may have thousands. */
export async function findPages(from: Versions): Promise<PageBounds[]> {
  const total = await from.catalog.count({ ...allOf(from), skip: 0, take: 0 });
  const at = async (skip: number) => (await from.catalog.query({ ...allOf(from), skip, take: 1 }))[0];
  const pages: PageBounds[] = [];
  for (let start = 0; start < total; start += pageSize) {
    const count = Math.min(pageSize, total - start);
    const lower = await at(start);
    const upper = count === 1 ? lower : await at(start + count - 1);
    if (lower && upper) pages.push({ lower: lower.normalizedVersion, upper: upper.normalizedVersion, count });
  }
  return pages;
}

/** All normalized versions of an id, listed or not, oldest first. */
export async function findVersions(from: Versions): Promise<string[]> {
  const versions: string[] = [];
  for (let skip = 0; ; skip += readAtOnce) {
    const rows = await from.catalog.query({ ...allOf(from), skip, take: readAtOnce });
    versions.push(...rows.map(({ normalizedVersion }) => normalizedVersion));
    if (rows.length < readAtOnce) return versions;
  }
}

function allOf({ id, view }: Versions): Omit<PackageQuery, 'skip' | 'take'> {
  const orderBy = [{ by: 'Version', descending: false }] as const;
  return { id, view, includeUnlisted: true, includePrerelease: true, orderBy };
}

function compare(operator: 'ge' | 'le', version: string): Expression {
  const left: Expression = { kind: 'property', name: 'Version' };
  return { kind: 'compare', operator, left, right: { kind: 'text', value: version } };
}
