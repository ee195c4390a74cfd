import { access, constants, copyFile, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fail } from '../errors.ts';
import { makeDir } from '../make-dir.ts';
import { messageOf } from '../thrown.ts';

export type KeptFiles = {
  readonly tool: string;
  readonly version: string;
  readonly nupkgPath: string;
  readonly manifestText: string;
  readonly recordText: string;
  /** What somebody must put where Scoop downloads from, when we may not (PAYLOAD_PUT=false). */
  readonly payloads?: readonly { readonly file: string; readonly path: string; readonly sha256: string }[];
};

/**
 * The folder of `--out`, made when it is not there: what cannot be kept is told before anything is downloaded.
 * @throws ReleaseError OUT_UNUSABLE
 */
export async function openOutDir(cwd: string, out: string | undefined): Promise<string | undefined> {
  if (out === undefined) return undefined;
  if (out === '') fail('OUT_UNUSABLE', { dir: '""', cause: 'it names no folder' });
  const dir = resolve(cwd, out);
  try {
    await makeDir(dir);
    await readdir(dir);
    await access(dir, constants.W_OK);
  } catch (error) {
    fail('OUT_UNUSABLE', { dir, cause: messageOf(error) }, error);
  }
  return dir;
}

/** `--out DIR` (contract section 5). */
export async function keepFiles(outDir: string, files: KeptFiles): Promise<void> {
  const { tool, version, nupkgPath, manifestText, recordText, payloads = [] } = files;
  await makeDir(outDir);
  await copyFile(nupkgPath, join(outDir, `${tool}.${version}.nupkg`));
  await writeFile(join(outDir, `${tool}.json`), manifestText);
  await writeFile(join(outDir, `${tool}.${version}.release.json`), recordText);
  const place = join(outDir, 'payloads', tool, version);
  for (const { file, path, sha256 } of payloads) {
    await makeDir(place);
    await copyFile(path, join(place, file));
    await writeFile(join(place, `${file}.sha256`), `${sha256}\n`);
  }
}
