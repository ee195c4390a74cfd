import { lstat, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, parse, relative, resolve } from 'node:path';
import { fail } from '../../errors/release-error.ts';
import { foreignIn, usersOf } from './claim-cache.ts';
import { findItems, type Item } from './find-items.ts';
import { ownFolders, tagFile, useFolder } from './layout.ts';
import { remove, removeEmpty } from './remove.ts';

export type CleanRequest = {
  readonly dir: string;
  /** Only what was not used since; undefined: everything. */
  readonly usedBeforeMs: number | undefined;
  readonly isDryRun: boolean;
  /** Folders that may be neither the cache nor inside it. */
  readonly precious: readonly string[];
};

export type Cleaned = Awaited<ReturnType<typeof cleanCache>>;

/**
 * Empties the cache. A folder that is not a cache, or that a run is using, is not touched.
 * @throws ReleaseError CACHE_FOREIGN, CACHE_IN_USE; CACHE_NOT_CLEANED when some of it is still there
 */
export async function cleanCache(request: CleanRequest) {
  const { usedBeforeMs, isDryRun } = request;
  // CACHE_DIR itself may be a link to another disk
  const dir = await realpath(request.dir).catch(() => undefined);
  if (dir === undefined) return { dir: request.dir, ...total([], []), parts: [] };
  await requireCache(dir, request.precious);
  const [user] = isDryRun ? [] : await usersOf(dir);
  if (user !== undefined) fail('CACHE_IN_USE', { dir, pid: user });

  const items = await findItems(dir);
  const isGoing = ({ usedMs }: Item): boolean => usedBeforeMs === undefined || usedMs < usedBeforeMs;
  const going = items.filter(isGoing);
  if (!isDryRun) {
    const all = [...ownFolders, useFolder, tagFile].map((name) => join(dir, name));
    await removeAll(usedBeforeMs === undefined ? all : going.map(({ path }) => path), dir);
  }
  const parts = [...new Set(items.map(({ part }) => part))].map((part) => {
    const own = items.filter((item) => item.part === part);
    return { part, ...total(own.filter(isGoing), own) };
  });
  return { dir, ...total(going, items), parts };
}

async function requireCache(dir: string, precious: readonly string[]): Promise<void> {
  const isFolder = (await lstat(dir)).isDirectory();
  if (!isFolder) fail('CACHE_FOREIGN', { dir, found: 'a file' });
  for (const place of [homedir(), ...precious]) {
    const inside = relative(dir, await realpath(place).catch(() => resolve(place)));
    const isInside = inside === '' || (!inside.startsWith('..') && parse(inside).root === '');
    if (isInside) fail('CACHE_FOREIGN', { dir, found: `a folder that holds ${place}` });
  }
  if (dirname(dir) === dir) fail('CACHE_FOREIGN', { dir, found: 'the root of a file system' });
  const foreign = await foreignIn(dir);
  if (foreign.length > 0) {
    const more = foreign.length > 3 ? ` and ${foreign.length - 3} more` : '';
    fail('CACHE_FOREIGN', { dir, found: `${foreign.slice(0, 3).join(', ')}${more} in it, too` });
  }
}

/** @throws ReleaseError CACHE_NOT_CLEANED, after everything was tried */
async function removeAll(paths: readonly string[], rootDir: string): Promise<void> {
  const failures: { readonly path: string; readonly cause: string }[] = [];
  for (const path of paths) {
    try {
      await remove(path);
      await removeEmpty(dirname(path), rootDir);
    } catch (error) {
      failures.push({ path, cause: (error as Error).message });
    }
  }
  const [first] = failures;
  if (first !== undefined) fail('CACHE_NOT_CLEANED', { count: failures.length, ...first });
}

function total(going: readonly Item[], all: readonly Item[]) {
  const removed = { items: going.length, bytes: bytesOf(going) };
  return { removed, kept: { items: all.length - going.length, bytes: bytesOf(all) - removed.bytes } };
}

function bytesOf(items: readonly Item[]): number {
  return items.reduce((sum, { bytes }) => sum + bytes, 0);
}
