import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { FormatError } from '../../formats/format-error.ts';
import { type NupkgLimits, openNupkg, verifyContent } from '../../formats/nupkg.ts';
import { type RawEntry, type RawZip, rawZip } from './raw-zip.ts';

export const nuspecText =
  '<package><metadata><id>a</id><version>1.0</version><authors>b</authors></metadata></package>';
export const nuspec: RawEntry = { name: 'a.nuspec', content: nuspecText };
export const tool: RawEntry = { name: 'tools/a.exe', content: 'MZ'.repeat(500) };

/** Packages as files of a folder that lives as long as the suite. */
export function usePackages() {
  let folder = '';
  let count = 0;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nupkg-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function save(bytes: Uint8Array): Promise<string> {
    const path = join(folder, `${count++}.nupkg`);
    await writeFile(path, bytes);
    return path;
  }

  /** Opens it and reads all of it, as publication does. */
  async function readAll(bytes: Uint8Array, limits: Partial<NupkgLimits> = {}): Promise<string[]> {
    const nupkg = await openNupkg(await save(bytes), limits);
    try {
      await verifyContent(nupkg);
      return nupkg.entries.map(({ name }) => name);
    } finally {
      await nupkg.close();
    }
  }

  async function faultOf(zip: RawZip | Uint8Array, limits: Partial<NupkgLimits> = {}): Promise<FormatError> {
    const bytes = zip instanceof Uint8Array ? zip : rawZip(zip);
    const error = await readAll(bytes, limits).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FormatError);
    return error as FormatError;
  }

  return { folder: () => folder, save, readAll, faultOf };
}
