import { access, constants, readdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fail } from '../errors/release-error.ts';
import { makeDir } from '../formats/make-dir.ts';
import { messageOf } from '../formats/thrown.ts';

/**
 * The folder of `--out`, created if it does not exist; it fails before anything is downloaded if files cannot be kept.
 * @throws ReleaseError OUT_UNUSABLE
 */
export async function openOutDir(cwd: string, out: string | undefined): Promise<string | undefined> {
  if (out === undefined) return undefined;
  if (out === '') fail('OUT_UNUSABLE', { dir: '""', cause: 'it names no folder' });
  const dir = resolve(cwd, out);
  return usable(dir, async () => {
    await makeDir(dir);
    await readdir(dir);
    await access(dir, constants.W_OK);
  });
}

/** The file of `--out`, whose folder is created. Same errors. */
export async function openOutFile(cwd: string, out: string): Promise<string> {
  const file = resolve(cwd, out);
  return usable(file, async () => {
    if ((await stat(file).catch(() => undefined))?.isDirectory()) throw new Error('it is a folder');
    await makeDir(dirname(file));
    await access(dirname(file), constants.W_OK);
  });
}

async function usable(path: string, check: () => Promise<void>): Promise<string> {
  await check().catch((error: unknown) =>
    fail('OUT_UNUSABLE', { dir: path, cause: messageOf(error) }, error),
  );
  return path;
}
