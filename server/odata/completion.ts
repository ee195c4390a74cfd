import type { CatalogReader } from '../catalog/catalog.ts';
import type { Expression, PackageQuery } from '../catalog/query.ts';
import type { Options } from './options.ts';

/** Ids per answer; typing more characters finds the others. Versions: as many as clients show. */
const maxIds = 1000;
const maxVersions = 10_000;

type Completed = { readonly ask: Pick<CatalogReader, 'query'>; readonly options: Options };

/**
 * `package-ids?partialId=d`: the ids that begin with it, sorted, of packages that the client would install (spec nuget-v2 18.3).
 */
export async function completeId(partialId: string, { ask, options }: Completed): Promise<string[]> {
  const isNewest: Expression = {
    kind: 'property',
    name: options.includePrerelease ? 'IsAbsoluteLatestVersion' : 'IsLatestVersion',
  };
  const begins: Expression = {
    kind: 'call',
    name: 'startswith',
    args: [
      { kind: 'property', name: 'Id' },
      { kind: 'text', value: partialId },
    ],
  };
  const where: Expression = partialId === '' ? isNewest : { kind: 'and', left: isNewest, right: begins };
  const orderBy = [{ by: 'Id', descending: false }] as const;
  const rows = await ask.query({ ...listed(options), where, orderBy, take: maxIds });
  return rows.map(({ id }) => id);
}

/** `package-versions/ID`: the listed versions of an id, lowest first; empty for an unknown id. */
export async function versionsOf(id: string, { ask, options }: Completed): Promise<string[]> {
  const orderBy = [{ by: 'Version', descending: true }] as const;
  const rows = await ask.query({ ...listed(options), id, orderBy, take: maxVersions });
  return rows.map(({ version }) => version).toReversed();
}

function listed({ view, includePrerelease }: Options): Omit<PackageQuery, 'orderBy' | 'take'> {
  return { view, includePrerelease, includeUnlisted: false, skip: 0 };
}
