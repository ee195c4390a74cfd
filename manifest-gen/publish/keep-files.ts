import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestBytes } from '../../formats/digest.ts';
import { makeDir } from '../../formats/make-dir.ts';
import type { Artifacts } from '../build/artifacts.ts';
import type { Endpoints } from '../published/feed/server-info.ts';
import { isUpstreamPlace } from '../tool-file/payload-place.ts';

/** `--out DIR` (contract section 5). */
export async function keepFiles(outDir: string, files: Artifacts, endpoints: Endpoints): Promise<void> {
  const { tool, version, nupkg, manifestText, recordText = '' } = files;
  await makeDir(outDir);
  await copyFile(nupkg.path, join(outDir, `${tool.tool}.${version}.nupkg`));
  await writeFile(join(outDir, `${tool.tool}.json`), manifestText);
  await writeFile(join(outDir, `${tool.tool}.${version}.release.json`), recordText);
  if (arePayloadsKept(endpoints)) await keepPayloads(outDir, files);
}

/** Into `payloads/TOOL/VERSION`, each with its `.sha256`: in the layout that Scoop downloads from. */
export async function keepPayloads(
  outDir: string,
  { tool: { tool }, version, payloads, sbom }: Artifacts,
): Promise<void> {
  const dir = join(outDir, 'payloads', tool, version);
  const keepHash = (file: string, sha256: string): Promise<void> =>
    writeFile(join(dir, `${file}.sha256`), `${sha256}\n`);
  if (payloads.length > 0) await makeDir(dir);
  for (const { file, path, digest } of payloads) {
    await copyFile(path, join(dir, file));
    await keepHash(file, digest.sha256);
  }
  if (sbom === undefined) return;
  const text = await sbom.text();
  await writeFile(join(dir, sbom.file), text);
  await keepHash(sbom.file, digestBytes(Buffer.from(text)).sha256);
}

/** Whether somebody else must put the payloads in their place (PAYLOAD_PUT=false); upstream's own files need nobody. */
export function arePayloadsKept({ isPut, payloadPutUrl }: Endpoints): boolean {
  return !isPut && !isUpstreamPlace(payloadPutUrl);
}
