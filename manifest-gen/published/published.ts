import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createDigester, type Digest } from '../../formats/digest.ts';
import { openNupkg } from '../../formats/nupkg.ts';
import type { Cache } from '../system/cache/cache.ts';
import { makeWhole, pipeToFile } from '../system/whole-file.ts';
import { exeName } from '../tool-file/payload-file.ts';
import type { Tool } from '../tool-file/tools.ts';
import { downloadFile, listVersions } from './feed/client.ts';
import type { FeedHttp } from './feed/http.ts';
import type { FeedPackage } from './feed/page.ts';
import { type Released, readReleased } from './released.ts';

type Package = Pick<Tool, 'tool' | 'packageId'>;
export type LocalFile = { readonly path: string; readonly digest: Digest };

/** What the feed has. Each list, package, exe and file is read once in a run. */
export type Published = {
  /** Every version of a package, unlisted ones too. @throws ReleaseError FEED_UNREACHABLE, FEED_REFUSED */
  versions(tool: Package): Promise<readonly FeedPackage[]>;
  /** Undefined for a version that the feed does not have. @throws ReleaseError FEED_*; FormatError when it is no package */
  release(tool: Package, version: string): Promise<Released | undefined>;
  /** The exe in a package, taken out; undefined when it has none. @throws FormatError */
  exe(tool: Tool, nupkgPath: string): Promise<LocalFile | undefined>;
  /**
   * A file from where Scoop downloads it; undefined for 404.
   * @param path where it is kept, unless this run has it already
   * @throws ReleaseError FEED_*, PLACE_UNREACHABLE
   */
  file(url: string, path: string): Promise<LocalFile | undefined>;
};

/** @param workDir for the exes; gone at the end of the run */
export function createPublished({
  feed,
  cache,
  workDir,
}: {
  readonly feed: FeedHttp;
  readonly cache: Cache;
  readonly workDir: string;
}): Published {
  const versions = onceEach(
    (tool: Package) => tool.packageId ?? tool.tool,
    (tool) => listVersions(feed, tool.packageId ?? tool.tool),
  );
  const release = onceEach(
    (tool: Package, version: string) => `${tool.packageId ?? tool.tool} ${version}`,
    async (tool, version) => {
      const pkg = (await versions(tool)).find((one) => one.version === version);
      return pkg && (await readReleased(feed, cache, pkg));
    },
  );
  const exe = onceEach(
    (tool: Tool, nupkgPath: string) => `${exeName(tool)} ${nupkgPath}`,
    async (tool, nupkgPath) => takeExe(nupkgPath, exeName(tool), await mkdtemp(join(workDir, 'exe-'))),
  );
  const file = onceEach(
    (url: string, _path: string) => url,
    async (url, path) => {
      const digest = await makeWhole(path, (part) => downloadFile(feed, url, part));
      if (digest !== undefined) return { path, digest };
      // an empty file, which cannot be mistaken for the exe
      await rm(path, { force: true });
      return undefined;
    },
  );
  return { versions, release, exe, file };
}

async function takeExe(nupkgPath: string, exe: string, dir: string): Promise<LocalFile | undefined> {
  const nupkg = await openNupkg(nupkgPath);
  try {
    if (!nupkg.entries.some(({ name }) => name === `tools/${exe}`)) return undefined;
    const path = join(dir, exe);
    const digester = createDigester();
    await pipeToFile(path, [await nupkg.openEntry(`tools/${exe}`), digester]);
    return { path, digest: digester.digest() };
  } finally {
    await nupkg.close();
  }
}

/** The same answer for the same question. One that failed is asked again. */
function onceEach<Args extends readonly unknown[], T>(
  keyOf: (...args: Args) => string,
  ask: (...args: Args) => Promise<T>,
): (...args: Args) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return (...args) => {
    const key = keyOf(...args);
    const known = answers.get(key);
    if (known !== undefined) return known;
    const answer = ask(...args).catch((error: unknown) => {
      answers.delete(key);
      throw error;
    });
    answers.set(key, answer);
    return answer;
  };
}
