import { join } from 'node:path';
import { digestFile } from '../../formats/digest.ts';
import { openNupkg } from '../../formats/nupkg.ts';
import { parseReleaseRecord, type ReleaseRecord } from '../../formats/release-record.ts';
import type { Cache } from '../system/cache/cache.ts';
import { makeWhole } from '../system/whole-file.ts';
import { downloadPackage } from './feed/client.ts';
import type { FeedHttp } from './feed/http.ts';
import type { FeedPackage } from './feed/page.ts';

/** A package of the feed on this machine, with its record. */
export type Released = {
  readonly version: string;
  readonly nupkgPath: string;
  /** Undefined for a package that was not made by us. */
  readonly record: ReleaseRecord | undefined;
};

const maxRecordBytes = 1024 * 1024;

/**
 * Fetches a package once; later runs take it from the cache after hashing it again.
 * @throws ReleaseError FEED_UNREACHABLE, FEED_REFUSED, FEED_CONFLICT; FormatError when it is not a package
 */
export async function readReleased(http: FeedHttp, cache: Cache, pkg: FeedPackage): Promise<Released> {
  const nupkgPath = await obtain(http, cache, pkg);
  return { version: pkg.version, nupkgPath, record: await readRecord(nupkgPath, pkg.version) };
}

async function obtain(http: FeedHttp, cache: Cache, pkg: FeedPackage): Promise<string> {
  // a feed that does not announce the hash may have anything by the next run
  const folder = await cache.package(pkg.sha512 ?? `run-${process.pid}`);
  const path = join(folder, `${pkg.id}.${pkg.version}.nupkg`);
  const there = pkg.sha512 === undefined ? undefined : await digestFile(path).catch(() => undefined);
  if (there?.sha512 === pkg.sha512 && there !== undefined) return path;

  await makeWhole(path, (part) => downloadPackage(http, pkg, part));
  return path;
}

async function readRecord(nupkgPath: string, version: string): Promise<ReleaseRecord | undefined> {
  const nupkg = await openNupkg(nupkgPath);
  try {
    const name = 'tools/release.json';
    if (!nupkg.entries.some((entry) => entry.name === name)) return undefined;
    const record = parseOurs((await nupkg.readEntry(name, maxRecordBytes)).toString('utf8'));
    return record?.version === version ? record : undefined;
  } finally {
    await nupkg.close();
  }
}

/** Anyone who may push can put a file of that name into a package; an invalid record counts as none. */
function parseOurs(text: string): ReleaseRecord | undefined {
  try {
    return parseReleaseRecord(text);
  } catch {
    return undefined;
  }
}
