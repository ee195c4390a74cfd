import { rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileReason } from '../../formats/file-reason.ts';
import { fail } from '../errors.ts';
import { syncFolder } from '../feed/restore.ts';

/**
 * Puts the folder `next` in the place of `dir`, whose data moves to `aside`. These are two renames and no copying: a power cut
 * between them leaves the old data under its new name. If the second one fails (a virus scanner on Windows has a file open), the
 * old folder is put back.
 * @throws FeedError FILE_UNUSABLE with the folder unchanged, RESTORE_HALF when it could not be put back
 */
export async function swapFolders(dir: string, next: string, aside: string): Promise<void> {
  await rename(dir, aside).catch((error: Error) => unusable(dir, error));
  try {
    await rename(next, dir);
  } catch (error) {
    await rename(aside, dir).catch(() => fail('RESTORE_HALF', { dir, aside }, error));
    unusable(dir, error);
  }
  await syncFolder(dirname(dir));
}

/**
 * Puts the content of `next` into `dir`, which contains nothing but `names`.
 * @throws FeedError FILE_UNUSABLE when somebody has added something meanwhile; it stays
 */
export async function replaceContents(dir: string, next: string, names: readonly string[]): Promise<void> {
  for (const name of names) await rm(join(dir, name), { recursive: true, force: true });
  await rmdir(dir).catch((error: Error) => unusable(dir, error));
  await rename(next, dir).catch((error: Error) => unusable(dir, error));
  await syncFolder(dirname(dir));
}

function unusable(file: string, error: unknown): never {
  return fail('FILE_UNUSABLE', { file, cause: fileReason(error) }, error);
}
