import { randomUUID } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../log.ts';

const movedAway = 'moved-away-';

/** At once for whoever opens it, even if the process is killed meanwhile. */
export async function removeRepository(dir: string, repoDir: string): Promise<void> {
  await rename(repoDir, join(dir, `${movedAway}${randomUUID()}`)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await removeMovedAway(dir);
}

export async function removeMovedAway(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    if (name.startsWith(movedAway))
      await rm(join(dir, name), { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A repository without our mark may be the only one there is, of a server that was alone before: it is kept. */
export async function setAside(repoDir: string, log: Logger): Promise<void> {
  if ((await stat(repoDir).catch(() => undefined)) === undefined) return;
  const kept = `${repoDir}.kept-${Date.now()}`;
  await rename(repoDir, kept);
  log.warn(
    { kept },
    'the folder had a bucket of its own, which the shared one does not use; it was set aside',
  );
}
