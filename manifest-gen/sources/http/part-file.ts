import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive } from '../../../system/cache/claim-cache.ts';

/**
 * A name of this run for the unfinished file, so that two runs never write to the same one; the file of a run that has ended (or
 * of an earlier attempt) is taken over.
 */
export async function claimPart(folder: string, name: string): Promise<string> {
  const mine = join(folder, `${name}.${process.pid}.part`);
  const names = await readdir(folder);
  for (const left of names.filter((other) => other.startsWith(`${name}.`) && other.endsWith('.part'))) {
    const pid = Number(left.slice(name.length + 1, -'.part'.length));
    if (join(folder, left) === mine) return mine;
    if (!isAlive(pid)) {
      await rename(join(folder, left), mine).catch(() => {
        // another run was quicker; ours starts at the first byte
      });
      return mine;
    }
  }
  return mine;
}
