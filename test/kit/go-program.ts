import { basename, join } from 'node:path';
import { goBuildsDir } from './go-builds.ts';
import { mustRun } from './programs.ts';
import { testCacheDir } from './test-cache.ts';

/**
 * A program by somebody else, built by the real go from its module and kept for all runs of tests.
 * @param version with its `v`
 * @returns its path
 */
export async function goProgram(path: string, version: string): Promise<string> {
  const name = basename(path);
  const dir = join(testCacheDir, `${name}-${version.slice(1)}`);
  // Without what a debugger reads. Quick where it is up to date: go compares.
  const env = { GOBIN: dir, GOFLAGS: '', GOCACHE: goBuildsDir, CGO_ENABLED: '0' };
  await mustRun('go', ['install', '-ldflags', '-s -w', `${path}@${version}`], { env, cwd: testCacheDir });
  return join(dir, name);
}
