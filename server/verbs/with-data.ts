import { existsSync } from 'node:fs';
import { join } from 'node:path';
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
 * Does the work where the data is: in the folder itself, under its lock, or through the server that holds the lock.
 * @throws ConfigError, FeedError DATA_DIR_IN_USE when another process uses the folder and cannot be asked, NO_FEED
 */
export async function withData<T>(
  invocation: Invocation,
  { needsFeed = false, alone, running }: DataWork<T>,
): Promise<T> {
  const config = loadConfig(invocation.env);
  if (needsFeed) requireFeed(config.dataDir);
  let opened: OpenServices;
  try {
    opened = await openServices(config, {
      ...invocation,
      now: () => new Date(),
      log: createLogger('warn'),
      publicUrl: () => config.publicUrl ?? `http://${config.host}:${config.port}`,
      isStopping: () => invocation.signal.aborted,
    });
  } catch (error) {
    const server = isInUse(error) && running !== undefined ? findServer(config.dataDir) : undefined;
    if (server === undefined || running === undefined) throw error;
    return running(reachServer(server, invocation.signal), config);
  }
  try {
    return await alone(opened, config);
  } finally {
    await opened.close();
  }
}

function requireFeed(dataDir: string): void {
  const file = join(dataDir, 'catalog.db');
  if (!existsSync(file)) fail('NO_FEED', { file, cause: 'it is not there' });
}

function isInUse(error: unknown): boolean {
  return error instanceof FeedError && error.code === 'DATA_DIR_IN_USE';
}
