import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Digest, digestFile } from '../formats/digest.ts';

/** Of every build; the linker drops symbols and the build id, which differs by folder. */
export const ldflags = '-s -w -buildid=';

/** The same for all that is built here, so that anyone can rebuild and compare (contract section 5). */
export const buildFlags: readonly string[] = ['-trimpath', '-buildvcs=false', '-ldflags', ldflags];

/** An exe that was made on this machine, in the folder of the cache that is its own (Cache.built). */
export type KeptExe = { readonly name: string; readonly path: string; readonly digest: Digest };

/** Moves it there. The digest beside it is written last: an exe without one is not taken. */
export async function keepExe(exe: string, folder: string): Promise<KeptExe> {
  const name = basename(exe);
  const path = join(folder, name);
  const digest = await digestFile(exe);
  await rename(exe, path);
  await writeFile(`${path}.sha256`, digest.sha256);
  return { name, path, digest };
}

/** The one that `keepExe` stored; undefined when there is none, or it has changed. */
export async function keptExe(folder: string): Promise<KeptExe | undefined> {
  const name = (await readdir(folder)).find((file) => file.endsWith('.exe'));
  if (name === undefined) return undefined;
  const path = join(folder, name);
  const [digest, sha256] = await Promise.all([
    digestFile(path),
    readFile(`${path}.sha256`, 'utf8').catch(() => undefined),
  ]);
  // another digest: the disk or somebody else changed it, so it is built again
  return digest.sha256 === sha256 ? { name, path, digest } : undefined;
}
