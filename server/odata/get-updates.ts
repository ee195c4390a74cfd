import { type NuGetRange, parseNuGetRange, rangeIncludes } from '../../formats/nuget-range.ts';
import { compareNuGetVersions, type NuGetVersion, parseNuGetVersion } from '../../formats/nuget-version.ts';
import type { Catalog, PackageRow } from '../catalog/catalog.ts';
import type { Expression } from '../catalog/query.ts';
import { fail } from '../errors.ts';
import { type Options, readBoolean, readText } from './options.ts';
import type { Parameters } from './parameters.ts';
import type { Selection } from './query.ts';

/** One installed package of the client. */
type Installed = {
  readonly id: string;
  readonly version: NuGetVersion;
  readonly range: NuGetRange | undefined;
};

const maxInstalled = 500;
/** More versions of one id than any package has. */
const allVersions = 10_000;

/**
 * What `GetUpdates` selects: the versions newer than the installed ones (spec nuget-v2 section 13), named one by one, so
 * that filter, order, paging and count are those of any other collection.
 */
export async function selectUpdates(
  catalog: Pick<Catalog, 'query'>,
  options: Options,
  parameters: Parameters,
): Promise<Selection> {
  const wantsAll = readBoolean(parameters, 'includeAllVersions');
  const updates: PackageRow[] = [];
  for (const installed of readInstalled(parameters)) {
    const newer = await findNewer(catalog, options, installed);
    updates.push(...(wantsAll ? newer : newer.slice(0, 1)));
  }
  const named = anyOf(updates.map(isVersion));
  return {
    view: options.view,
    where: options.filter ? { kind: 'and', left: named, right: options.filter } : named,
    orderBy: options.orderBy,
    includeUnlisted: false,
    includePrerelease: options.includePrerelease,
  };
}

/** Lists of different length, and blank entries, ask for nothing; an unreadable version leaves its package out; of an id given twice the lowest version counts. */
function readInstalled(parameters: Parameters): readonly Installed[] {
  const ids = readList(parameters, 'packageIds');
  const versions = readList(parameters, 'versions');
  const constraints =
    readText(parameters, 'versionConstraints') === ''
      ? undefined
      : readList(parameters, 'versionConstraints');
  const isAligned =
    ids.length === versions.length && (constraints === undefined || constraints.length === ids.length);
  if (!isAligned || [...ids, ...versions].includes('')) return [];
  if (ids.length > maxInstalled)
    fail('QUERY_INVALID', { problem: `packageIds has more than ${maxInstalled} ids.` });

  const lowest = new Map<string, Installed>();
  for (const [index, id] of ids.entries()) {
    const version = parseNuGetVersion(versions[index] ?? '');
    if (version === undefined) continue;
    const before = lowest.get(id.toLowerCase());
    if (before !== undefined && compareNuGetVersions(before.version, version) <= 0) continue;
    lowest.set(id.toLowerCase(), { id, version, range: parseNuGetRange(constraints?.[index] ?? '') });
  }
  return [...lowest.values()];
}

function readList(parameters: Parameters, name: string): readonly string[] {
  return readText(parameters, name)
    .split('|')
    .map((entry) => entry.trim());
}

/** Newest first. */
async function findNewer(
  catalog: Pick<Catalog, 'query'>,
  { view, includePrerelease }: Options,
  { id, version, range }: Installed,
): Promise<readonly PackageRow[]> {
  const rows = await catalog.query({
    view,
    id,
    includeUnlisted: false,
    includePrerelease,
    orderBy: [{ by: 'Version', descending: true }],
    skip: 0,
    take: allVersions,
  });
  return rows.filter((row) => {
    const found = parseNuGetVersion(row.version);
    if (found === undefined || compareNuGetVersions(found, version) <= 0) return false;
    return range === undefined || rangeIncludes(range, found);
  });
}

function isVersion({ id, normalizedVersion }: PackageRow): Expression {
  return { kind: 'and', left: isEqual('Id', id), right: isEqual('Version', normalizedVersion) };
}

function isEqual(name: 'Id' | 'Version', value: string): Expression {
  return {
    kind: 'compare',
    operator: 'eq',
    left: { kind: 'property', name },
    right: { kind: 'text', value },
  };
}

/** Balanced, so that hundreds of updates nest only a few levels deep. */
function anyOf(conditions: readonly Expression[]): Expression {
  const [only] = conditions;
  if (only === undefined) return { kind: 'boolean', value: false };
  if (conditions.length === 1) return only;
  const middle = conditions.length >> 1;
  return { kind: 'or', left: anyOf(conditions.slice(0, middle)), right: anyOf(conditions.slice(middle)) };
}
