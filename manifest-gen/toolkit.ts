import type { PackedExes } from '../formats/packed-exes.ts';
import type { HttpAccess } from '../outbound/ask-host.ts';
import type { Cache } from '../system/cache/cache.ts';
import type { Environment } from '../system/child-environment.ts';
import type { Report } from '../system/report.ts';
import type { DatabaseTree } from '../vulnerabilities/database.ts';
import type { Scanner } from '../vulnerabilities/scanner.ts';
import type { BucketRepository } from './published/bucket/repository.ts';
import type { FeedHttp } from './published/feed/http.ts';
import type { Endpoints } from './published/feed/server-info.ts';
import type { FeedKey } from './published/feed-key.ts';
import type { Published } from './published/published.ts';
import type { GeneratorConfig } from './settings/config.ts';
import type { Upstreams } from './sources/upstreams.ts';

/** Everything that a release may touch, built once a run. All else is a function of values. */
export type Toolkit = HttpAccess & {
  readonly config: GeneratorConfig;
  /** Undefined when there is none, nor a way to one; only publishing needs it. */
  readonly feedKey: FeedKey | undefined;
  /** For child programs (git, go, npm); our own code does not read it. */
  readonly env: Environment;
  readonly report: Report;
  readonly now: () => Date;
  /** The pipeline's run that this is, for the audit log. */
  readonly run: string | undefined;
  readonly productDir: string;
  /** TOOLS_DIR; undefined for the product's own tools. */
  readonly toolsDir: string | undefined;
  readonly cache: Cache;
  readonly upstreams: Upstreams;
  /** The same sources with another cache, to really download again. */
  readonly upstreamsWith: (cache: Cache) => Upstreams;
  /** A bundle replaces every source (verbs/run/from-bundle.ts). */
  readonly isBundled: boolean;
  /** Known vulnerabilities, as the bundle brought them. */
  readonly bundledDatabase?: DatabaseTree | undefined;
};

/** With the feed and the bucket that this run works on (verbs/run/with-feed.ts). */
export type OpenToolkit = Toolkit & {
  readonly feed: FeedHttp;
  readonly endpoints: Endpoints;
  /** What the feed holds, each part of it read once. */
  readonly published: Published;
  readonly bucket: BucketRepository;
  /** Undefined: no scan for known vulnerabilities (no VULN_DB). */
  readonly scanner: Scanner | undefined;
  /** For files that are made before they are pushed; removed at the end. */
  readonly workDir: string;
  readonly packed: PackedExes;
  /** What this run has published so far, as text, for the message of an interruption. */
  readonly done: string[];
};
