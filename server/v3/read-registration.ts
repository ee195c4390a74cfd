import { fail } from '../errors.ts';
import { findBetween, findFirst, findPages, type Versions } from './find-versions.ts';
import type { V3Links } from './links.ts';
import {
  inlineIndex,
  pagedIndex,
  pageSize,
  type registrationEntry,
  type registrationLeaf,
  registrationPage,
} from './registration.ts';

/** Up to this many versions the index contains them all, so that small ids need one request. */
const maxInline = 2 * pageSize;
/** New versions may make a page longer than its index said, but there is a limit. */
const maxPage = 4 * pageSize;

/** The index of an id. @throws FeedError PACKAGE_NOT_FOUND also when the hive contains none of its versions */
export async function readIndex(from: Versions, links: V3Links): Promise<object> {
  const rows = await findFirst(from, maxInline + 1);
  const [first] = rows;
  if (first === undefined) return fail('PACKAGE_NOT_FOUND', { id: from.id, version: 'in any version' });
  const hive = { id: first.id, view: from.view, links };
  return rows.length <= maxInline ? inlineIndex(rows, hive) : pagedIndex(await findPages(from), hive);
}

/** The versions from `lower` to `upper`. @throws FeedError PACKAGE_NOT_FOUND, PATH_INVALID when that is more than a page */
export async function readPage(
  from: Versions,
  lower: string,
  upper: string,
  links: V3Links,
): Promise<object> {
  const rows = await findBetween(from, lower, upper, maxPage + 1);
  const [first] = rows;
  if (first === undefined) {
    return fail('PACKAGE_NOT_FOUND', { id: from.id, version: `${lower} to ${upper}` });
  }
  if (rows.length > maxPage) {
    fail('PATH_INVALID', { problem: `it spans more than ${maxPage} versions; read the index again.` });
  }
  return registrationPage(rows, { id: first.id, view: from.view, links });
}

/** One version, as its leaf or its entry. @throws FeedError PACKAGE_NOT_FOUND also when the hive does not contain it */
export async function readVersion(
  from: Versions,
  version: string,
  links: V3Links,
  print: typeof registrationLeaf | typeof registrationEntry,
): Promise<object> {
  const [row] = await findBetween(from, version, version, 1);
  if (row === undefined) return fail('PACKAGE_NOT_FOUND', { id: from.id, version });
  return print(row, { id: row.id, view: from.view, links });
}
