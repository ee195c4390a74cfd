import { type NuGetRange, parseNuGetRange } from '../../formats/nuget-range.ts';
import { compareNuGetVersions, type NuGetVersion, parseNuGetVersion } from '../../formats/nuget-version.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { CompareOperator, Expression } from '../catalog/query.ts';
import { fail } from '../errors.ts';
import { createPause } from '../pause.ts';
import { type Options, readBoolean, readText } from './options.ts';
import type { Parameters } from './parameters.ts';
import type { Selection } from './query.ts';

/** A package that is installed on the client. */
type Installed = {
  readonly id: string;
  readonly version: NuGetVersion;
  readonly range: NuGetRange | undefined;
};

const maxInstalled = 500;

/**
 * The selection of `GetUpdates`: the versions newer than the installed ones (spec nuget-v2 section 13) as a condition, so that
 * filter, order, paging and count work as for any other collection. If one version of each id is wanted, that row is looked up
 * and named.
 */
export async function selectUpdates(
  catalog: Pick<Catalog, 'query'>,
  options: Options,
  parameters: Parameters,
): Promise<Selection> {
  const wantsAll = readBoolean(parameters, 'includeAllVersions');
  const updates: Expression[] = [];
  const pause = createPause();
  for (const installed of readInstalled(parameters)) {
    const wanted = wantsAll ? isNewer(installed) : await isNewest(catalog, options, installed);
    if (wanted) updates.push(and(compare('Id', 'eq', installed.id), wanted));
    if (pause.isDue()) await pause.take();
  }
  const named = anyOf(updates);
  return {
    view: options.view,
    where: options.filter ? and(named, options.filter) : named,
    orderBy: options.orderBy,
    includeUnlisted: false,
    includePrerelease: options.includePrerelease,
  };
}

/**
 * Lists of different length and blank entries match nothing; a package with an invalid version is left out; if an id is given
 * twice, its lowest version counts.
 */
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

/** Undefined when nothing is newer. */
async function isNewest(
  catalog: Pick<Catalog, 'query'>,
  { view, includePrerelease }: Options,
  installed: Installed,
): Promise<Expression | undefined> {
  const [newest] = await catalog.query({
    view,
    id: installed.id,
    where: isNewer(installed),
    includeUnlisted: false,
    includePrerelease,
    orderBy: [{ by: 'Version', descending: true }],
    skip: 0,
    take: 1,
  });
  return newest && compare('Version', 'eq', newest.normalizedVersion);
}

function isNewer({ version, range }: Installed): Expression {
  const ends = [
    range?.min && compare('Version', range.isMinIncluded ? 'ge' : 'gt', range.min.original),
    range?.max && compare('Version', range.isMaxIncluded ? 'le' : 'lt', range.max.original),
  ];
  return ends.reduce<Expression>(
    (all, end) => (end ? and(all, end) : all),
    compare('Version', 'gt', version.original),
  );
}

function and(left: Expression, right: Expression): Expression {
  return { kind: 'and', left, right };
}

function compare(name: 'Id' | 'Version', operator: CompareOperator, value: string): Expression {
  return {
    kind: 'compare',
    operator,
    left: { kind: 'property', name },
    right: { kind: 'text', value },
  };
}

/** Balanced, so that hundreds of updates only nest a few levels deep. */
function anyOf(conditions: readonly Expression[]): Expression {
  const [only] = conditions;
  if (only === undefined) return { kind: 'boolean', value: false };
  if (conditions.length === 1) return only;
  const middle = conditions.length >> 1;
  return { kind: 'or', left: anyOf(conditions.slice(0, middle)), right: anyOf(conditions.slice(middle)) };
}
