import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createDigester, digestFile, type LocalFile } from '../../formats/digest.ts';
import { jsonOf } from '../../formats/json.ts';
import { withNupkg } from '../../formats/nupkg.ts';
import { ReleaseRecord } from '../../formats/release-record.ts';
import { makeWhole, pipeToFile } from '../../formats/whole-file.ts';
import type { Cache } from '../../system/cache/cache.ts';
import { onceEach } from '../../system/once-each.ts';
import { exeName } from '../tool-file/payload-place.ts';
import { packageIdOf, type Tool } from '../tool-file/tools.ts';
import { downloadFile, downloadPackage, type FeedPackage, listVersions } from './feed/client.ts';
import type { FeedHttp } from './feed/http.ts';

type Package = Parameters<typeof packageIdOf>[0];

export type Published = ReturnType<typeof createPublished>;

/** `workDir` is for the exes, and gone at the end of the run. */
type Place = { readonly feed: FeedHttp; readonly cache: Cache; readonly workDir: string };

/** What the feed has. Each list, package, exe and file is read once in a run. */
export function createPublished({ feed, cache, workDir }: Place) {
  /** Every version of a package, unlisted ones too. @throws ReleaseError FEED_UNREACHABLE, FEED_REFUSED */
  const versions = onceEach(packageIdOf, (tool: Package) => listVersions(feed, packageIdOf(tool)));
  /** Undefined for a version that the feed does not have. @throws ReleaseError FEED_*; FormatError when it is no package */
  const release = onceEach(
    (tool: Package, version: string) => `${packageIdOf(tool)} ${version}`,
    async (tool, version): Promise<Released | undefined> => {
      const pkg = (await versions(tool)).find((one) => one.version === version);
      if (pkg === undefined) return undefined;
      const nupkgPath = await obtain(feed, cache, pkg);
      return { version, nupkgPath, record: await readRecord(nupkgPath, version) };
    },
  );
  /** The exe in a package, taken out; undefined when it has none. @throws FormatError */
  const exe = onceEach(
    (tool: Tool, nupkgPath: string) => `${exeName(tool)} ${nupkgPath}`,
    async (tool, nupkgPath) => takeExe(nupkgPath, exeName(tool), await mkdtemp(join(workDir, 'exe-'))),
  );
  /**
   * A file from where Scoop downloads it; undefined for 404. The path is where it is kept, unless this run has it already.
   * @throws ReleaseError FEED_*, PLACE_UNREACHABLE
   */
  const file = onceEach(
    (url: string, _path: string) => url,
    async (url, path): Promise<LocalFile | undefined> => {
      const digest = await makeWhole(path, (part) => downloadFile(feed, url, part));
      if (digest !== undefined) return { path, digest };
      // an empty file, which cannot be mistaken for the exe
      await rm(path, { force: true });
      return undefined;
    },
  );
  return { versions, release, exe, file };
}

function takeExe(nupkgPath: string, exe: string, dir: string): Promise<LocalFile | undefined> {
  return withNupkg(nupkgPath, async (nupkg) => {
    if (!nupkg.entries.some(({ name }) => name === `tools/${exe}`)) return undefined;
    const path = join(dir, exe);
    const digester = createDigester();
    await pipeToFile(path, [await nupkg.openEntry(`tools/${exe}`), digester]);
    return { path, digest: digester.digest() };
  });
}

/** A package of the feed on this machine, with its record. */
export type Released = {
  readonly version: string;
  readonly nupkgPath: string;
  /** Undefined for a package that was not made by us. */
  readonly record: ReleaseRecord | undefined;
};

/** Ours, with its record. */
export type GoodRelease = Released & { readonly record: ReleaseRecord };

export function isOurs(released: Released | undefined): released is GoodRelease {
  return released?.record !== undefined;
}

const maxRecordBytes = 1024 * 1024;

/**
 * Fetches a package once; later runs take it from the cache after hashing it again.
 * @throws ReleaseError FEED_UNREACHABLE, FEED_REFUSED, FEED_CONFLICT
 */
async function obtain(http: FeedHttp, cache: Cache, pkg: FeedPackage): Promise<string> {
  // a feed that does not announce the hash may have anything by the next run
  const folder = await cache.package(pkg.sha512 ?? `run-${process.pid}`);
  const path = join(folder, `${pkg.id}.${pkg.version}.nupkg`);
  const there = pkg.sha512 === undefined ? undefined : await digestFile(path).catch(() => undefined);
  if (there?.sha512 === pkg.sha512 && there !== undefined) return path;

  await makeWhole(path, (part) => downloadPackage(http, pkg, part));
  return path;
}

function readRecord(nupkgPath: string, version: string): Promise<ReleaseRecord | undefined> {
  return withNupkg(nupkgPath, async (nupkg) => {
    const name = 'tools/release.json';
    if (!nupkg.entries.some((entry) => entry.name === name)) return undefined;
    const text = (await nupkg.readEntry(name, maxRecordBytes)).toString('utf8');
    // anyone who may push can put a file of that name into a package; an invalid record counts as none
    const record = ReleaseRecord.safeParse(jsonOf(text)).data;
    return record?.version === version ? record : undefined;
  });
}
