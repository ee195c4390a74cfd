import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { testCacheDir } from './test-cache.ts';

/** Where Go keeps what it compiled, by the hash of all that went in, so that it is good for every test. */
export const goBuildsDir = join(testCacheDir, 'go', 'build');

/**
 * For programs by others that tests only start: without what a debugger reads, which takes a third of the time, and without optimisation,
 * which takes another. One that people get, or whose own Go code works for long, is built as its maker builds it.
 */
export const quickFlags: readonly string[] = ['-ldflags', '-s -w', '-gcflags', 'all=-N -l -dwarf=false'];

/** Lets a cache of the generator that is a test's own have Go's compiled packages from there: the standard library alone takes a minute. */
export async function shareGoBuilds(cacheDir: string): Promise<void> {
  await mkdir(goBuildsDir, { recursive: true });
  await mkdir(cacheDir, { recursive: true, mode: 0o700 });
  await mkdir(join(cacheDir, 'go'));
  await symlink(goBuildsDir, join(cacheDir, 'go', 'build'), 'junction');
}
