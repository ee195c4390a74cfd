import { randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';

/**
 * Makes a file that is at `path` whole or not at all.
 * @param make writes it under the name that it is given, which nobody else has: two tools of one run may want the same file
 * @throws what `make` throws; the errors of the file system
 */
export async function makeWhole<T>(path: string, make: (part: string) => Promise<T>): Promise<T> {
  const part = `${path}.${randomUUID()}.part`;
  try {
    const made = await make(part);
    await rename(part, path);
    return made;
  } catch (error) {
    await rm(part, { force: true }).catch(() => {
      // what went wrong first is what counts
    });
    throw error;
  }
}
