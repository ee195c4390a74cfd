import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * The folder and all above it. Node's own recursive mkdir spins for ever where a file system answers ENOENT to every new
 * folder, as /proc does; the first missing folder made by itself fails at once there.
 * @throws the errors of the file system
 */
export async function makeDir(dir: string): Promise<void> {
  if (existsSync(dir)) return;
  let first = dir;
  while (dirname(first) !== first && !existsSync(dirname(first))) first = dirname(first);
  await mkdir(first).catch((error: NodeJS.ErrnoException) => {
    // another run may be quicker
    if (error.code !== 'EEXIST' || !existsSync(first)) throw error;
  });
  await mkdir(dir, { recursive: true });
}
