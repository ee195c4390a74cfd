import type { FeedPackage } from '../published/feed/page.ts';
import { askWhyUnlisted } from '../published/feed/unlisting.ts';
import type { Tool } from '../tool-file/tools.ts';
import type { OpenToolkit } from '../toolkit.ts';

/** A version was taken back; the reason where somebody wrote it down and we may read it. */
export type Withdrawn = { readonly reason?: string };

/**
 * The bucket is asked first, which is open to all and whose commits say why wherever another version took the place; else the
 * server's audit log.
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
