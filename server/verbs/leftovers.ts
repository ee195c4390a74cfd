import { readdir, rm } from 'node:fs/promises';
import { fileReason } from '../../formats/file-reason.ts';
import { fail } from '../errors.ts';

/**
 * Removes what a killed verb left behind under its own names, and nothing else.
 * @throws FeedError FILE_UNUSABLE when the folder contains more than `names`
 */
export async function clearLeftovers(dir: string, names: RegExp): Promise<void> {
  const found = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    return fail('FILE_UNUSABLE', { file: dir, cause: fileReason(error) }, error);
  });
  const foreign = found.find((name) => !names.test(name));
  if (foreign !== undefined)
    fail('FILE_UNUSABLE', { file: dir, cause: `${foreign} in it is not ours; move it away` });
  await rm(dir, { recursive: true, force: true });
}
