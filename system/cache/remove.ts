import { randomUUID } from 'node:crypto';
import { chmod, lstat, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Removes a file or a folder with everything in it; of a link, only the link. It is renamed first, so that an interruption leaves
 * nothing that looks complete.
 * @throws the errors of the file system
 */
export async function remove(path: string): Promise<void> {
  await makeWritable(dirname(path));
  const gone = `${path}.${randomUUID()}.gone`;
  try {
    await rename(path, gone);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  await makeAllWritable(gone);
  await rm(gone, { recursive: true, force: true, maxRetries: 3 });
}

/** Removes the folder and those above it, below `rootDir`, as long as they are empty. */
export async function removeEmpty(dir: string, rootDir: string): Promise<void> {
  for (let at = dir; at.startsWith(join(rootDir, '/')); at = dirname(at)) {
    await makeWritable(dirname(at));
    const isGone = await rmdir(at).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
    );
    if (!isGone) return;
  }
}

async function makeAllWritable(path: string): Promise<void> {
  if ((await lstat(path).catch(() => undefined))?.isDirectory() !== true) return;
  await makeWritable(path);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeAllWritable(join(path, entry.name));
  }
}

/** Go takes the right to write away from its modules' folders. */
async function makeWritable(dir: string): Promise<void> {
  const { mode } = await lstat(dir);
  if ((mode & 0o700) !== 0o700) await chmod(dir, mode | 0o700);
}
