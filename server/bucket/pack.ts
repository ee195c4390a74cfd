import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../log.ts';
import { type Git, runGit } from './git-backend.ts';

/** Packs the repository where that is worth it: after the answer to a push, and before the server ends. */
export async function pack(git: Git, log: Logger, timeoutMs: number): Promise<void> {
  const { cap: _whole, ...unlimited } = git;
  try {
    if (await mayNeedPacking(git.dir)) await runGit(unlimited, ['gc', '--auto', '--quiet'], { timeoutMs });
  } catch (err) {
    log.error({ err }, 'the bucket could not be packed');
  }
}

/**
 * Whether it is worth starting git to ask. It estimates in the same way (gc.auto, gc.autoPackLimit): one of 256 folders stands
 * for all. Its limits are 8 files there, for the 2000 in our settings, and 50 packs; these are half of them, and git decides.
 */
export async function mayNeedPacking(repoDir: string): Promise<boolean> {
  const objects = join(repoDir, 'objects');
  const [loose, packs] = await Promise.all([namesIn(join(objects, '17')), namesIn(join(objects, 'pack'))]);
  return loose.length > 4 || packs.filter((name) => name.endsWith('.pack')).length > 25;
}

async function namesIn(dir: string): Promise<readonly string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
