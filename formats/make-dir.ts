import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes the folder and all its parents. Node's own recursive mkdir spins forever where a file system answers ENOENT to every new
 * folder, as /proc does; making the first missing folder alone fails at once there.
 * @throws the errors of the file system
 */
export async function makeDir(dir: string): Promise<void> {
  if (existsSync(dir)) return;
  let first = dir;
  while (dirname(first) !== first && !existsSync(dirname(first))) first = dirname(first);
  await mkdir(first).catch((error: NodeJS.ErrnoException) => {
    // Another process may have been faster.
    if (error.code !== 'EEXIST' || !existsSync(first)) throw error;
  });
  await mkdir(dir, { recursive: true });
}
