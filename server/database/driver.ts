import { FeedError } from '../errors.ts';

/** Compiles the driver for the Node that runs it. */
export const rebuildCommand = ['npx', '-y', 'pnpm@10', 'rebuild', 'better-sqlite3'] as const;

/**
 * Whether the compiled part of better-sqlite3 does not load: because it was built for another NODE_MODULE_VERSION (each major
 * version of Node has its own) or another platform, or was never built.
 */
export function isDriverError(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const isMissing = error.message.startsWith('Could not locate the bindings file');
  return isMissing || ('code' in error && error.code === 'ERR_DLOPEN_FAILED');
}

/** The same as an error for people: the data folder is not the cause. */
export function driverError(error: Error): FeedError {
  const [, found] = /NODE_MODULE_VERSION (\d+)/.exec(error.message) ?? [];
  const own = process.versions.modules;
  const built =
    found === undefined || found === own
      ? ''
      : `: it was built for version ${found} of Node's interface, this one has ${own}`;
  const details = { node: process.version, built, command: rebuildCommand.join(' ') };
  return new FeedError('DATABASE_DRIVER', details, error);
}
