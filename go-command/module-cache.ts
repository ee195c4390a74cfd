import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { remove } from '../system/cache/remove.ts';

export type CorruptModule = {
  readonly path: string;
  readonly version: string;
  /** Its go.mod alone, which Go keeps beside the zip. */
  readonly isGoMod?: boolean;
};

/** `go mod verify` (cmd/go/internal/modcmd/verify.go): one module a line, by its path and version. */
const modified = /^(?:go: )?(\S+) (v\S+): (?:(?:zip|dir) has been modified|missing ziphash|zip: )/gm;
/** Every other command, once it compares with the checksum database (cmd/go/internal/modfetch/fetch.go). */
const otherSum = [
  /([^\s@"]+)@(v[^\s:/]+): verifying (?:module|(go\.mod)): (?:checksum mismatch|unexpected ziphash)/g,
  /verifying ([^\s@"]+)@(v[^\s:/]+)(?:\/(go\.mod))?: (?:checksum mismatch|unexpected ziphash)/g,
];

/** The modules of which Go says that the module cache has other bytes than it should. */
export function corruptModules(said: string): readonly CorruptModule[] {
  // -json has its line breaks escaped
  const text = said.replace(/\\[nt]/g, '\n');
  const found = [modified, ...otherSum].flatMap((pattern) => [...text.matchAll(pattern)]);
  const specs = new Map(
    found.map(([, path = '', version = '', goMod]) => [
      `${path}@${version}`,
      { path, version, isGoMod: goMod !== undefined },
    ]),
  );
  return [...specs.values()].filter(isModule);
}

/** It becomes a path below which everything is removed. */
function isModule({ path, version }: CorruptModule): boolean {
  return [...path.split('/'), version].every((part) => /^[\w~+-][\w.~+-]*$/.test(part));
}

/**
 * Takes a module out of the module cache: its folder, and what was downloaded of it. What the checksum database said of it stays.
 * @param modDir GOMODCACHE
 * @returns false when Go had not taken it from there: it was just fetched, and is not kept by Go when its sum is another one
 */
export async function forgetModule(
  modDir: string,
  { path, version, isGoMod }: CorruptModule,
): Promise<boolean> {
  const [folder, name] = [escapeModule(path), escapeModule(version)];
  const downloads = join(modDir, 'cache', 'download', folder, '@v');
  const of = (end: string): string => join(downloads, `${name}.${end}`);
  const unpacked = join(modDir, `${folder}@${name}`);
  const isThere = (isGoMod ? [of('mod')] : [unpacked, of('zip'), of('ziphash')]).some(existsSync);
  if (!isThere) return false;
  for (const path of [unpacked, ...['zip', 'ziphash', 'mod', 'info'].map(of)])
    if (existsSync(path)) await remove(path);
  return true;
}

/** Capitals in the file's name as Go writes them, for disks that do not tell them apart: `!burnt!sushi` (module.EscapePath). */
export function escapeModule(module: string): string {
  return module.replace(/[A-Z]/g, (capital) => `!${capital.toLowerCase()}`);
}
