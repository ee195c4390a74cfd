import type { Catalog, PackageRow } from '../catalog/catalog.ts';
import type { Payloads } from '../catalog/payloads.ts';
import type { PackageQuery } from '../catalog/query.ts';

const pageSize = 50;
/** A page shows this many versions; the feed has all. */
const maxVersions = 200;

/** Whether the bucket has a manifest too: then Scoop's commands are shown. */
type InBucket = { readonly main: boolean; readonly beta: boolean };

export type ListedPackage = {
  readonly newest: PackageRow;
  readonly stable: PackageRow | undefined;
  readonly isInBucket: InBucket;
};
export type Listing = {
  readonly text: string;
  readonly page: number;
  readonly total: number;
  readonly packages: readonly ListedPackage[];
  readonly hasMore: boolean;
};

/** One page of the packages, an id a line. */
export async function readListing(sources: Sources, text: string, page: number): Promise<Listing> {
  const { catalog } = sources;
  const words = text.split(/\s+/).filter((word) => word !== '');
  const query: PackageQuery = {
    view: 'semver2',
    where: { kind: 'property', name: 'IsAbsoluteLatestVersion' },
    ...(words.length > 0 ? { search: words } : {}),
    includeUnlisted: false,
    includePrerelease: true,
    orderBy: words.length > 0 ? [] : [{ by: 'Id', descending: false }],
    skip: (page - 1) * pageSize,
    take: pageSize,
  };
  const [rows, total] = await Promise.all([catalog.query(query), catalog.count(query)]);
  const packages = await Promise.all(
    rows.map(async (newest) => ({
      newest,
      stable: newest.isPrerelease ? await catalog.findLatest(newest.id) : newest,
      isInBucket: await readBucket(sources, newest.id),
    })),
  );
  return { text, page, total, packages, hasMore: page * pageSize < total };
}

export type FoundPackage = {
  readonly id: string;
  /** The row that describes the package: the newest stable one, else the newest. */
  readonly shown: PackageRow;
  readonly stable: PackageRow | undefined;
  readonly beta: PackageRow | undefined;
  readonly versions: readonly PackageRow[];
  /** The versions with a list of what their exes are made of, at `/dl/ID/VERSION/ID.cdx.json`. */
  readonly withSbom: ReadonlySet<string>;
  readonly isInBucket: InBucket;
};

type Sources = {
  readonly catalog: Catalog;
  readonly payloads: Pick<Payloads, 'find'>;
  readonly hasManifest: (channel: 'main' | 'beta', tool: string) => Promise<boolean>;
};

/** All that the page of one id shows; undefined when no version of it is listed. */
export async function readPackage(sources: Sources, id: string): Promise<FoundPackage | undefined> {
  const versions = await sources.catalog.query({
    view: 'semver2',
    id,
    includeUnlisted: false,
    includePrerelease: true,
    orderBy: [{ by: 'Version', descending: true }],
    skip: 0,
    take: maxVersions,
  });
  const newest = versions[0];
  if (newest === undefined) {
    return undefined;
  }
  const stable = versions.find((row) => row.isLatest);
  const beta = newest.isPrerelease ? newest : undefined;
  return {
    id: newest.id,
    shown: stable ?? newest,
    stable,
    beta,
    versions,
    withSbom: await readSboms(sources, versions),
    isInBucket: await readBucket(sources, newest.id),
  };
}

async function readSboms(
  { payloads }: Sources,
  versions: readonly PackageRow[],
): Promise<ReadonlySet<string>> {
  const found = await Promise.all(
    versions.map(({ id, normalizedVersion }) => payloads.find(id, normalizedVersion, `${id}.cdx.json`)),
  );
  return new Set(found.flatMap((payload) => payload?.version ?? []));
}

async function readBucket({ hasManifest }: Sources, id: string): Promise<InBucket> {
  const [main, beta] = await Promise.all([hasManifest('main', id), hasManifest('beta', id)]);
  return { main, beta };
}
