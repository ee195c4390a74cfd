import { askWhyUnlisted } from '../published/feed/audit-log.ts';
import type { FeedPackage } from '../published/feed/page.ts';
import type { Tool } from '../tool-file/tools.ts';
import type { OpenToolkit } from '../toolkit.ts';

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
    (endpoints.isOwnServer ? await askWhyUnlisted(feed, endpoints.serverUrl, { id, version }) : undefined);
  if (reason !== undefined) return { reason };
  return pkg === undefined ? undefined : {};
}
