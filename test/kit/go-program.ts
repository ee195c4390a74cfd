import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { compilerMemory } from '../../go-command/compiler-memory.ts';
import { goBuildsDir, quickFlags } from './go-builds.ts';
import { mustRun } from './programs.ts';
import { testCacheDir } from './test-cache.ts';

export const buildCosign = () => goProgram('github.com/sigstore/cosign/v2/cmd/cosign', 'v2.6.2');
export const buildCrane = () => goProgram('github.com/google/go-containerregistry/cmd/crane', 'v0.22.1');

/**
 * A program by somebody else, built by the real go from its module and kept for all runs of tests.
 * @param version with its `v`
 * @returns its path
 */
async function goProgram(path: string, version: string): Promise<string> {
  const name = basename(path);
  const dir = join(testCacheDir, `${name}-${version.slice(1)}`);
  await mkdir(goBuildsDir, { recursive: true });
  // Quick where it is up to date: go compares.
  const env = { GOBIN: dir, GOFLAGS: '', GOCACHE: goBuildsDir, CGO_ENABLED: '0', ...compilerMemory() };
  await mustRun('go', ['install', ...quickFlags, `${path}@${version}`], { env, cwd: testCacheDir });
  return join(dir, name);
}
