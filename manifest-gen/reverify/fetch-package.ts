import { join } from 'node:path';
import { fetchPackageBytes, listVersions } from '../published/feed/client.ts';
import type { FeedHttp } from '../published/feed/http.ts';
import type { FeedPackage } from '../published/feed/page.ts';
import { type PublishedPackage, readPackage } from '../published/package.ts';
import type { Tool } from '../tool-file/tools.ts';
import { type Check, compare, failed } from './check.ts';

type Fetched = {
  /** What the feed lists; undefined when it does not have it. */
  readonly pkg: FeedPackage | undefined;
  readonly package?: PublishedPackage;
  readonly checks: readonly Check[];
};

/** The package as choco gets it, from the feed and never from a cache, and its entry in the feed. */
export async function fetchPackage(
  tool: Tool,
  version: string,
  { feed, workDir }: { readonly feed: FeedHttp; readonly workDir: string },
): Promise<Fetched> {
  const id = tool.packageId ?? tool.tool;
  const about = { what: 'package', subject: `${id} ${version}` };
  const pkg = (await listVersions(feed, id)).find((one) => one.version === version);
  if (pkg === undefined) return { pkg, checks: [failed(about, 'a package on the feed', 'none')] };

  const path = join(workDir, `${id}.${version}.nupkg`);
  const digest = await fetchPackageBytes(feed, pkg, path);
  const announced =
    pkg.sha512 === undefined
      ? []
      : [
          compare(
            about,
            `SHA-512 ${pkg.sha512}`,
            `SHA-512 ${digest.sha512}`,
            `Its bytes are those that the feed announces${pkg.isListed ? '' : ' (it is unlisted)'}.`,
          ),
        ];
  const read = await readPackage(tool, version, { path, digest }, workDir);
  return 'verdict' in read
    ? { pkg, checks: [...announced, read] }
    : { pkg, package: read, checks: announced };
}
