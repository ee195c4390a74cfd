import type { Catalog, CatalogReader, PackageRow } from '../catalog/catalog.ts';
import type { Payloads } from '../catalog/payloads.ts';
import type { Expression, PackageQuery } from '../catalog/query.ts';
import { readSearchText } from '../catalog/search-text.ts';
import { type AppSources, type Apps, readApps } from './apps.ts';
import type { Offers } from './commands.ts';
import { kindOf, type PackageKind } from './package-kind.ts';

const pageSize = 50;
/** A page shows this many versions; the feed lists all. */
const maxVersions = 200;

/** A package's newest stable version, a newer beta, their names in Scoop, and the kind of package. */
type Channels = {
  readonly stable: PackageRow | undefined;
  readonly beta: PackageRow | undefined;
  readonly apps: Apps;
  readonly kind: PackageKind;
};

/** What the commands on a page install. */
export function offersOf({ id, stable, beta, apps, kind }: Channels & { readonly id: string }): Offers {
  return {
    id,
    kind,
    stable: stable && { version: stable.normalizedVersion, app: apps.main },
    beta: beta && { version: beta.normalizedVersion, app: apps.beta },
  };
}

export type ListedPackage = Channels & { readonly newest: PackageRow };
export type Listing = {
  readonly text: string;
  readonly page: number;
  readonly pages: number;
  readonly total: number;
  readonly packages: readonly ListedPackage[];
};

/**
 * One page of the list of packages, one line per id; after the last page, the last one. It finds the same as Search() of v2 and
 * v3.
 */
export async function readListing(sources: Sources, text: string, askedPage: number): Promise<Listing> {
  const { catalog, ask } = sources;
  const { words, where } = readSearchText(text, 'q');
  const asked: PackageQuery = {
    view: 'semver2',
    where: where.reduce<Expression>((left, right) => ({ kind: 'and', left, right }), {
      kind: 'property',
      name: 'IsAbsoluteLatestVersion',
    }),
    ...(words.length > 0 ? { search: words } : {}),
    includeUnlisted: false,
    includePrerelease: true,
    orderBy: words.length > 0 ? [] : [{ by: 'Id', descending: false }],
    skip: 0,
    take: pageSize,
  };
  const total = await ask.count(asked);
  const pages = Math.max(1, Math.ceil(total / pageSize));
  const page = Math.min(askedPage, pages);
  const rows = await ask.query({ ...asked, skip: (page - 1) * pageSize });
  const packages = await Promise.all(
    rows.map(async (newest) => {
      const stable = newest.isPrerelease ? await catalog.findLatest(newest.id) : newest;
      const beta = newest.isPrerelease ? newest : undefined;
      return { newest, stable, beta, ...(await readUses(sources, stable, beta)) };
    }),
  );
  return { text, page, pages, total, packages };
}

export type FoundPackage = Channels & {
  readonly id: string;
  /** The row that describes the package: the newest stable version, or else the newest. */
  readonly shown: PackageRow;
  readonly versions: readonly PackageRow[];
  /** The addresses of SBOMs, for versions that have one. */
  readonly sboms: ReadonlyMap<string, string>;
  /** HTML. */
  readonly readme: string | undefined;
};

type Sources = AppSources & {
  readonly catalog: Pick<Catalog, 'findLatest'>;
  readonly ask: CatalogReader;
  readonly payloads: Pick<Payloads, 'find'>;
};

/** Everything that the page of one id shows; undefined when no version of it is listed. */
export async function readPackage(sources: Sources, id: string): Promise<FoundPackage | undefined> {
  const versions = await sources.ask.query({
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
  const uses = await readUses(sources, stable, beta);
  return {
    id: newest.id,
    shown: stable ?? newest,
    stable,
    beta,
    versions,
    sboms: await readSboms(sources, uses.apps.main ?? uses.apps.beta ?? newest.id, versions),
    ...uses,
    readme: await sources.content.readmeOf(stable ?? newest),
  };
}

/** The id, in its own casing, of a package whose versions are all unlisted; undefined when there is none. */
export async function findUnlistedId(
  catalog: Pick<Catalog, 'query'>,
  id: string,
): Promise<string | undefined> {
  const any = { view: 'semver2', id, includeUnlisted: true, includePrerelease: true } as const;
  const [row] = await catalog.query({ ...any, orderBy: [], skip: 0, take: 1 });
  return row?.id;
}

async function readUses(
  sources: Sources,
  stable: PackageRow | undefined,
  beta: PackageRow | undefined,
): Promise<Pick<Channels, 'apps' | 'kind'>> {
  const shown = stable ?? beta;
  const files = shown && (await sources.content.kindOf(shown));
  return {
    apps: await readApps(sources, stable, beta),
    kind: shown === undefined ? 'program' : kindOf(shown.nuspec, files),
  };
}

/** Payloads are at their tool's address, which may differ from the package's name. */
async function readSboms(
  { payloads }: Sources,
  tool: string,
  versions: readonly PackageRow[],
): Promise<ReadonlyMap<string, string>> {
  const file = `${tool}.cdx.json`;
  const found = await Promise.all(
    versions.map(({ normalizedVersion }) => payloads.find(tool, normalizedVersion, file)),
  );
  return new Map(
    found.flatMap((payload) => {
      if (payload === undefined) return [];
      const path = [payload.tool, payload.version, payload.file].map(encodeURIComponent).join('/');
      return [[payload.version, `/dl/${path}`]];
    }),
  );
}
