import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GitKey } from '../../published/bucket/git.ts';
import { type BucketRepository, openBucket } from '../../published/bucket/repository.ts';
import { createFeedHttp, type FeedHttp } from '../../published/feed/http.ts';
import { type Endpoints, findEndpoints } from '../../published/feed/server-info.ts';
import type { GeneratorConfig } from '../../settings/config.ts';
import { withRun } from '../../system/run-url.ts';
import type { Toolkit } from '../../toolkit.ts';
import { createScanner, type Scanner } from '../../vulnerabilities/scanner.ts';

/** The world, and the feed and bucket that this run works on. */
export type Context = {
  readonly toolkit: Toolkit;
  readonly feed: FeedHttp;
  readonly endpoints: Endpoints;
  readonly bucket: BucketRepository;
  /** Undefined: nobody looks for known vulnerabilities (no VULN_DB). */
  readonly scanner: Scanner | undefined;
  /** For what is made before it is pushed; gone at the end. */
  readonly workDir: string;
  /** What the world outside has got so far, in words; an interruption tells it. */
  readonly published: string[];
};

/**
 * Asks the feed where things go and brings the bucket here, does the work, cleans up.
 * @throws ReleaseError FEED_UNREACHABLE, FEED_REFUSED, BUCKET_UNREACHABLE, BUCKET_CLOSED, SETTINGS_INVALID
 */
export async function withContext<T>(toolkit: Toolkit, work: (context: Context) => Promise<T>): Promise<T> {
  const { config, env, signal, now } = toolkit;
  const scanner = await createScanner(toolkit);
  const feed = createFeedHttp(toolkit.http, config.feedUrl, config.feedApiKey, signal);
  const endpoints = await findEndpoints(feed, config);
  const key = bucketKey(endpoints.bucketUrl, config, withRun(undefined, toolkit.run));
  const bucket = await openBucket({ url: endpoints.bucketUrl, env, signal, now, key });
  const workDir = await mkdtemp(join(tmpdir(), 'go-win-tools-'));
  try {
    await bucket.fetch();
    return await work({ toolkit, feed, endpoints, bucket, scanner, workDir, published: [] });
  } finally {
    await bucket.close();
    await rm(workDir, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The feed's key is for the feed's own origin; a bucket elsewhere has its own credentials, which git knows. */
function bucketKey(
  bucketUrl: string,
  { feedUrl, feedApiKey: value, isStartKey: isDirect }: GeneratorConfig,
  reason: string | undefined,
): GitKey | undefined {
  const { origin } = new URL(feedUrl);
  const isOwn = URL.canParse(bucketUrl) && new URL(bucketUrl).origin === origin;
  return isOwn && value !== undefined ? { url: `${origin}/`, value, isDirect, reason } : undefined;
}
