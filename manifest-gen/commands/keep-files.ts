import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDir } from '../make-dir.ts';

export type KeptFiles = {
  readonly tool: string;
  readonly version: string;
  readonly nupkgPath: string;
  readonly manifestText: string;
  readonly recordText: string;
};

/** `--out DIR` (contract section 5). */
export async function keepFiles(outDir: string, files: KeptFiles): Promise<void> {
  const { tool, version, nupkgPath, manifestText, recordText } = files;
  await makeDir(outDir);
  await copyFile(nupkgPath, join(outDir, `${tool}.${version}.nupkg`));
  await writeFile(join(outDir, `${tool}.json`), manifestText);
  await writeFile(join(outDir, `${tool}.${version}.release.json`), recordText);
}
