import { join } from 'node:path';
import type { LocalFile } from '../../formats/digest.ts';
import { askWhyUnlisted } from '../published/feed/audit-log.ts';
import { type FeedPackage, fetchPackageBytes } from '../published/feed/client.ts';
import { faultOf, type PublishedPackage, readPackage } from '../published/package.ts';
import type { Published } from '../published/published.ts';
import { packageIdOf, type Tool } from '../tool-file/tools.ts';
import type { OpenToolkit } from '../toolkit.ts';
import { type Check, compare, failed } from './check.ts';

/** The package as choco gets it, from the feed and never from a cache, and its entry in the feed. */
export async function fetchPackage(
  tool: Tool,
  version: string,
  { feed, published, workDir }: Pick<OpenToolkit, 'feed' | 'published' | 'workDir'>,
) {
  const id = packageIdOf(tool);
  const about = { what: 'package', subject: `${id} ${version}` };
  const pkg = (await published.versions(tool)).find((one) => one.version === version);
  if (pkg === undefined) {
    return { pkg, package: undefined, checks: [failed(about, 'a package on the feed', 'none')] };
  }

  const path = join(workDir, `${id}.${version}.nupkg`);
  const digest = await fetchPackageBytes(feed, pkg, path);
  const same = `Its bytes are those that the feed announces${pkg.isListed ? '' : ' (it is unlisted)'}.`;
  const announced =
    pkg.sha512 === undefined
      ? []
      : [compare(about, `SHA-512 ${pkg.sha512}`, `SHA-512 ${digest.sha512}`, same)];
  const read = await openPackage(tool, version, { path, digest }, published);
  return 'verdict' in read
    ? { pkg, package: undefined, checks: [...announced, read] }
    : { pkg, package: read, checks: announced };
}

/** One that cannot be read, or has no record, is a check that failed: there is nothing to go on from. */
export async function openPackage(
  tool: Tool,
  version: string,
  file: LocalFile,
  published: Pick<Published, 'exe'>,
): Promise<PublishedPackage | Check> {
  try {
    return await readPackage(tool, file, published);
  } catch (error) {
    const reason = faultOf(error);
    if (reason === undefined) throw error;
    const about = { what: 'package', subject: `${packageIdOf(tool)} ${version}` };
    return failed(about, 'a whole package with its release record', reason);
  }
}

/** A version was withdrawn; the reason if there is one that we may read. */
export type Withdrawn = { readonly reason?: string };

/**
 * The bucket is asked first, since it is open to all and its commits give the reason whenever another version replaced the bad
 * one; otherwise the server's audit log.
 * @param pkg undefined: the feed does not have it (any more)
 * @returns undefined for a version that was not withdrawn
 * @throws ReleaseError FEED_UNREACHABLE
 */
export async function findWithdrawn(
  { tool, packageId: id = tool }: Pick<Tool, 'tool' | 'packageId'>,
  version: string,
  pkg: FeedPackage | undefined,
  { bucket, feed, endpoints }: Pick<OpenToolkit, 'bucket' | 'feed' | 'endpoints'>,
): Promise<Withdrawn | undefined> {
  if (pkg?.isListed) return undefined;
  const reason =
    (await bucket.withdrawal(tool, version)) ??
    (endpoints.isOwnServer ? await askWhyUnlisted(feed, { id, version }) : undefined);
  if (reason !== undefined) return { reason };
  return pkg === undefined ? undefined : {};
}
