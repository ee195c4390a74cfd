import { fail } from '../errors.ts';

/** The meaning of an address under the feed, without its query (spec nuget-v2 section 3). */
export type Resource =
  | { readonly kind: 'service' }
  | { readonly kind: 'metadata' }
  | { readonly kind: 'collection'; readonly collection: Collection; readonly isCount: boolean }
  /** Completion of an id, and the versions of one (spec nuget-v2 18.3). */
  | { readonly kind: 'ids' }
  | { readonly kind: 'versions'; readonly id: string }
  | { readonly kind: 'package'; readonly id: string; readonly version: string; readonly part?: PackagePart };

const collections = ['Packages', 'Search', 'FindPackagesById', 'GetUpdates'] as const;
export type Collection = (typeof collections)[number];

/** What may follow a key: a property of the entry, or the package's bytes by the two names in use. */
const packageParts = ['Id', 'Version', '$value', 'Download'] as const;
type PackagePart = (typeof packageParts)[number];

/**
 * Parses the raw path after the feed's mount point: Express routers decode too early and too little for OData (spec nuget-v2
 * section 11). A `+` in a path is a plus. Undefined if it is not an OData address, but another route's.
 * @throws FeedError PATH_INVALID for an OData address that is malformed
 */
export function parseResource(rawPath: string): Resource | undefined {
  // PSResourceGet appends "/FindPackagesById()" to a source that ends in a slash (spec nuget-v2 section 3).
  const segments = rawPath
    .split('/')
    .filter((segment) => segment !== '')
    .map(decode);
  const [first, second, ...rest] = segments;
  if (first === undefined) return { kind: 'service' };
  if (rest.length > 0) return undefined;
  if (first.toLowerCase() === '$metadata') return second === undefined ? { kind: 'metadata' } : undefined;
  if (first.toLowerCase() === 'package-ids') return second === undefined ? { kind: 'ids' } : undefined;
  if (first.toLowerCase() === 'package-versions')
    return second === undefined ? undefined : { kind: 'versions', id: second };

  const [, name = '', args] = /^(\w+)(?:\((.*)\))?\s*$/s.exec(first) ?? [];
  const collection = named(collections, name);
  if (collection === undefined) {
    const isBroken = named(collections, first.split('(', 1)[0] ?? '') !== undefined;
    return isBroken ? fail('PATH_INVALID', { problem: `${first} is not well formed.` }) : undefined;
  }
  if (args === undefined || args.trim() === '') {
    if (second === undefined) return { kind: 'collection', collection, isCount: false };
    return second.toLowerCase() === '$count' ? { kind: 'collection', collection, isCount: true } : undefined;
  }
  if (collection !== 'Packages') {
    fail('PATH_INVALID', {
      problem: `${collection} takes its parameters in the query: ${collection}()?name='value'.`,
    });
  }
  const key = parseKey(args);
  if (second === undefined) return { kind: 'package', ...key };
  const part = named(packageParts, second);
  return part && { kind: 'package', ...key, part };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return fail('PATH_INVALID', {
      problem: 'it has a percent sign that does not begin an escape of UTF-8 text.',
    });
  }
}

/** WCF servers distinguish `search()` from `Search()`; scripts do not (spec nuget-v2 section 3). */
function named<Name extends string>(names: readonly Name[], text: string): Name | undefined {
  const lower = text.toLowerCase();
  return names.find((name) => name.toLowerCase() === lower);
}

/** `Id='x',Version='1.0'`: in either order, with optional blanks and quotes; `''` is a quote. */
function parseKey(text: string): { readonly id: string; readonly version: string } {
  const pair = /\s*(\w+)\s*=(?:\s*'((?:[^']|'')*)'\s*|([^',]*))(,|$)/y;
  const found = new Map<string, string>();
  let separator = ',';
  while (separator === ',') {
    const match = pair.exec(text);
    const name = match?.[1]?.toLowerCase();
    if (!match || name === undefined || found.has(name)) return failKey(text);
    found.set(name, match[2]?.replaceAll("''", "'") ?? (match[3] ?? '').trim());
    separator = match[4] ?? '';
  }
  const id = found.get('id');
  const version = found.get('version');
  return id && version && found.size === 2 ? { id, version } : failKey(text);
}

function failKey(text: string): never {
  return fail('PATH_INVALID', {
    problem: `expected Packages(Id='...',Version='...'), found Packages(${text}).`,
  });
}
