import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withTempDir } from '../../formats/scoped.ts';
import type { Invocation } from '../../invocation.ts';
import { type OpenServices, openServices } from '../composition-root.ts';
import { type Config, loadConfig } from '../config.ts';
import { FeedError, fail } from '../errors.ts';
import { createLogger } from '../log.ts';
import { findServer } from '../server-file.ts';
import { type RunningServer, reachServer } from './ask-server.ts';

export type DataWork<T> = {
  /** Requires an existing feed: a folder without one means a wrong DATA_DIR, and none is created. */
  readonly needsFeed?: boolean;
  /** Runs while nobody else uses the folder: we hold its lock. */
  readonly alone: (opened: OpenServices, config: Config) => Promise<T>;
  /** Runs when a server uses the folder; without this the verb refuses. */
  readonly running?: (server: RunningServer, config: Config) => Promise<T>;
};

/**
 * Does the work where the data is: in the folder itself, under its lock, or through the server that holds the lock; with
 * DATABASE_URL always by itself.
 * @throws ConfigError, FeedError DATA_DIR_IN_USE when another process uses the folder and cannot be asked, NO_FEED,
 *   DATABASE_EMPTY, and those of `openServices`
 */
export async function withData<T>(
  invocation: Invocation,
  { needsFeed = false, alone, running }: DataWork<T>,
): Promise<T> {
  const config = loadConfig(invocation.env);
  const { databaseUrl } = config;
  if (databaseUrl !== undefined)
    return withSharedData(invocation, { ...config, databaseUrl }, { needsFeed, alone });
  if (needsFeed) requireFeed(config.dataDir);
  let opened: OpenServices;
  try {
    opened = await openAlone(invocation, config);
  } catch (error) {
    if (!isInUse(error) || running === undefined) throw error;
    const server = findServer(config.dataDir) ?? fail('SERVER_UNKNOWN', error.details, error);
    return running(reachServer(server, invocation.signal), config);
  }
  try {
    return await alone(opened, config);
  } finally {
    await opened.close();
  }
}

/**
 * Beside the servers that share the data, as one more of them for a while. Its folder is a new one, since a server may be using
 * DATA_DIR, and gone afterwards; nothing is kept that is only read once.
 */
async function withSharedData<T>(
  invocation: Invocation,
  config: Config & { readonly databaseUrl: string },
  { needsFeed, alone }: Pick<DataWork<T>, 'needsFeed' | 'alone'>,
): Promise<T> {
  // Loaded only where it is needed: it brings the driver with it.
  if (needsFeed) await (await import('../replica/require-feed.ts')).requireFeed(config.databaseUrl);
  return withTempDir(join(tmpdir(), 'go-win-tools-data-'), async (dataDir) => {
    const own = { ...config, dataDir, blobCacheBytes: 0 };
    const opened = await openAlone(invocation, own);
    try {
      return await alone(opened, own);
    } finally {
      await opened.close();
    }
  });
}

function openAlone(invocation: Invocation, config: Config): Promise<OpenServices> {
  return openServices(config, {
    ...invocation,
    now: () => new Date(),
    log: createLogger('warn'),
    publicUrl: () => config.publicUrl ?? `http://${config.host}:${config.port}`,
    isStopping: () => invocation.signal.aborted,
  });
}

function requireFeed(dataDir: string): void {
  const file = join(dataDir, 'catalog.db');
  if (!existsSync(file)) fail('NO_FEED', { file, cause: 'it is not there' });
}

function isInUse(error: unknown): error is FeedError {
  return error instanceof FeedError && error.code === 'DATA_DIR_IN_USE';
}
