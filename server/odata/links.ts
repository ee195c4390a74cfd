import type { PackageRow } from '../catalog/catalog.ts';
import { clientPart } from '../http/client-path.ts';
import { replaceParameters } from './parameters.ts';
import type { Collection } from './resource.ts';
import { printSkipToken } from './skip-token.ts';

/** Absolute addresses of one feed, at the base that the client used: `/nuget` or `/api/v2` under the public URL. */
export type FeedLinks = {
  /** The server's address, without trailing slash. */
  readonly root: string;
  /** `/c/ID` at the addresses of one client, else empty. */
  readonly client: string;
  /** Without trailing slash. */
  readonly base: string;
  /** `Packages(Id='x',Version='1.0')`, relative to the base: the id of an entry. */
  entry(id: string, version: string): string;
  /** `package/x/1.0.0`, relative to the base. */
  package(id: string, version: string): string;
  download(id: string, version: string): string;
  /** The page for people. */
  page(id: string): string;
};

/**
 * Links use the configured public URL, never the Host header (spec nuget-v2 section 11), and stay on the feed's origin: a client
 * sends its credentials to no other (spec nuget-v2 2.4).
 * @param mount the router's mount point: `/nuget`, in whatever case the client wrote it
 */
export function feedLinks(publicUrl: string, mount: string): FeedLinks {
  const root = publicUrl.replace(/\/+$/, '');
  const base = root + mount.toLowerCase();
  const path = (id: string, version: string) => `package/${escapePath(id)}/${escapePath(version)}`;
  return {
    root,
    client: clientPart(mount),
    base,
    entry: (id, version) => `Packages(Id='${escapePath(id)}',Version='${escapePath(version)}')`,
    package: path,
    download: (id, version) => `${base}/${path(id, version)}`,
    page: (id) => `${root}/packages/${escapePath(id)}`,
  };
}

/** What remains of `$top`, if given, after this row. */
type Rest = {
  readonly left: number | undefined;
  readonly last: Pick<PackageRow, 'id' | 'normalizedVersion'>;
};

/**
 * The address of the page after `last`: the same query with another `$skiptoken`, which names that row. A next link must never
 * repeat, or clients give up (spec nuget-v2 9.7). `skip-token.ts` parses it.
 */
export function nextLink(
  links: FeedLinks,
  collection: Collection,
  rawQuery: string,
  { left, last }: Rest,
): string {
  const changes = {
    $skip: undefined,
    ...(left !== undefined && { $top: left }),
    $skiptoken: printSkipToken({ id: last.id, version: last.normalizedVersion }),
  };
  return `${links.base}/${collection}()?${replaceParameters(rawQuery, changes)}`;
}

/** Ids and versions rarely need escaping. */
function escapePath(text: string): string {
  return /^[\w.-]*$/.test(text) ? text : encodeURIComponent(text);
}
