import { access, constants, copyFile, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { makeDir } from '../../formats/make-dir.ts';
import { messageOf } from '../../formats/thrown.ts';
import { fail } from '../errors.ts';

export type KeptFiles = {
  readonly tool: string;
  readonly version: string;
  readonly nupkgPath: string;
  readonly manifestText: string;
  readonly recordText: string;
  /** What somebody else must upload to where Scoop downloads (PAYLOAD_PUT=false). */
  readonly payloads?: readonly ({ readonly file: string; readonly sha256: string } & (
    | { readonly path: string }
    | { readonly text: string }
  ))[];
};

/**
 * The folder of `--out`, created if it does not exist; it fails before anything is downloaded if files cannot be kept.
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
  await keepPayloads(outDir, { tool, version, payloads });
}

/** Into `payloads/TOOL/VERSION`, each with its `.sha256`: in the layout that Scoop downloads from. */
export async function keepPayloads(
  outDir: string,
  { tool, version, payloads = [] }: Pick<KeptFiles, 'tool' | 'version' | 'payloads'>,
): Promise<void> {
  const place = join(outDir, 'payloads', tool, version);
  for (const payload of payloads) {
    const target = join(place, payload.file);
    await makeDir(place);
    await ('path' in payload ? copyFile(payload.path, target) : writeFile(target, payload.text));
    await writeFile(`${target}.sha256`, `${payload.sha256}\n`);
  }
}
