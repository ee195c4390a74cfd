import { execFileSync } from 'node:child_process';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import express from 'express';
import { type ForeignFeed, type ForeignFeedOptions, startForeignFeed } from './foreign-feed.ts';
import { type Forge, type ForgeRelease, startForge } from './forge.ts';
import { type Generator, makeGenerator } from './generator.ts';
import { type Listening, listen } from './listen.ts';
import { makeTempDir } from './test-server.ts';

export type Manifest = {
  version: string;
  architecture: Record<string, { url: string; hash: string; extract_dir?: string }>;
  autoupdate?: unknown;
  checkver?: unknown;
};

export type SmallStart = {
  readonly dir: string;
  readonly feed: ForeignFeed;
  readonly forge: Forge;
  /** Where Scoop downloads from: what `serve` puts there. */
  readonly files: Listening;
  readonly generator: Generator;
  /** The folder of the bare repository. */
  readonly bucket: string;
  /** What `--out` kept, to where it is downloaded from. */
  serve(made: string): Promise<void>;
  git(...args: string[]): string;
  branches(): string[];
  manifest(branch: string, tool?: string): Manifest;
  stop(): Promise<void>;
};

/** Without a server of ours: a feed of another make, a bare repository, and files that somebody else serves. */
export async function startSmall(
  delve: readonly ForgeRelease[],
  options?: ForeignFeedOptions,
): Promise<SmallStart> {
  const dir = await makeTempDir();
  const feed = await startForeignFeed('its-key', options);
  const forge = await startForge();
  forge.addRepository('go-delve/delve', delve);
  const files = await listen(express().use(express.static(join(dir, 'www'))));
  const bucket = join(dir, 'bucket.git');
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', bucket]);
  const generator = await makeGenerator({
    FEED_URL: feed.feedUrl,
    FEED_API_KEY: 'its-key',
    GITHUB_API_URL: forge.apiUrl,
    BUCKET_URL: bucket,
    PAYLOAD_URL: `${files.url}/{tool}/{version}/{file}`,
    PAYLOAD_PUT: 'false',
  });
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', bucket, ...args], { encoding: 'utf8' });
  return {
    dir,
    feed,
    forge,
    files,
    bucket,
    generator,
    serve: (made) => cp(join(made, 'payloads'), join(dir, 'www'), { recursive: true }),
    git,
    branches: () => git('for-each-ref', '--format=%(refname:short)').split('\n').filter(Boolean),
    manifest: (branch, tool = 'delve') =>
      JSON.parse(git('cat-file', 'blob', `${branch}:bucket/${tool}.json`)) as Manifest,
    async stop() {
      await Promise.all([generator.stop(), files.stop(), forge.stop(), feed.stop()]);
      await rm(dir, { recursive: true, force: true });
    },
  };
}
