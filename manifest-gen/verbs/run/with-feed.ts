import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withTempDir } from '../../../formats/scoped.ts';
import { createScanner } from '../../../vulnerabilities/scanner.ts';
import type { GitKey } from '../../published/bucket/git.ts';
import { openBucket } from '../../published/bucket/repository.ts';
import { createFeedHttp } from '../../published/feed/http.ts';
import { withRun } from '../../published/feed/run-url.ts';
import { findEndpoints } from '../../published/feed/server-info.ts';
import { createPublished } from '../../published/published.ts';
import type { OpenToolkit, Toolkit } from '../../toolkit.ts';

/**
 * Asks the feed where things go and brings the bucket here, does the work, cleans up.
 * @throws ReleaseError FEED_UNREACHABLE, FEED_REFUSED, BUCKET_UNREACHABLE, BUCKET_CLOSED, SETTINGS_INVALID
 */
export async function withFeed<T extends Toolkit, R>(
  toolkit: T,
  work: (toolkit: T & OpenToolkit) => Promise<R>,
): Promise<R> {
  const { config, env, signal, now } = toolkit;
  const scanner = await createScanner(toolkit);
  const feed = createFeedHttp(toolkit.http, config.feedUrl, toolkit.feedKey, signal);
  const endpoints = await findEndpoints(feed, config);
  const key = bucketKey(endpoints.bucketUrl, toolkit, withRun(undefined, toolkit.run));
  const bucket = await openBucket({ url: endpoints.bucketUrl, env, signal, now, key });
  try {
    await bucket.fetch();
    return await withTempDir(join(tmpdir(), 'go-win-tools-'), (workDir) => {
      const published = createPublished({ feed, cache: toolkit.cache, workDir });
      const made = { workDir, packed: new Map(), done: [] };
      return work({ ...toolkit, feed, endpoints, published, bucket, scanner, ...made });
    });
  } finally {
    await bucket.close();
  }
}

/** With feed and bucket as they are now: this run may have published since they were read. */
export async function readAgain<T extends OpenToolkit>(toolkit: T): Promise<T> {
  await toolkit.bucket.fetch();
  return { ...toolkit, published: createPublished(toolkit), done: [] };
}

/** The feed's key is for the feed's own origin; a bucket elsewhere has its own credentials, which git knows. */
function bucketKey(
  bucketUrl: string,
  { config: { feedUrl, isStartKey: isDirect }, feedKey: value }: Toolkit,
  reason: string | undefined,
): GitKey | undefined {
  const { origin } = new URL(feedUrl);
  const isOwn = URL.canParse(bucketUrl) && new URL(bucketUrl).origin === origin;
  return isOwn && value !== undefined ? { url: `${origin}/`, value, isDirect, reason } : undefined;
}
