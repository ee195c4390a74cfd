import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestFile } from '../../../formats/digest.ts';
import type { Spoiled } from './module-cache.ts';

const path = 'golang.org/toolchain';

/**
 * The toolchains of this name in the module cache whose folder has other files than the zip that Go unpacked and checked. Go runs a
 * folder that is there without looking at it again, and `go mod verify` cannot be asked: Go itself adds go.mod files to it.
 * @param modDir GOMODCACHE
 */
export async function spoiledToolchains(modDir: string, toolchain: string): Promise<readonly Spoiled[]> {
  const prefix = `toolchain@v0.0.1-${toolchain}.`;
  const isOfIt = (name: string): boolean =>
    name.startsWith(prefix) && /^\w+-\w+$/.test(name.slice(prefix.length));
  const folders = await readdir(join(modDir, 'golang.org')).catch(() => []);
  const spoiled: Spoiled[] = [];
  for (const folder of folders.filter(isOfIt)) {
    const version = folder.slice('toolchain@'.length);
    const sumFile = join(modDir, 'cache', 'download', path, '@v', `${version}.ziphash`);
    const sum = await readFile(sumFile, 'utf8').catch(() => '');
    if (sum.trim() !== (await sumOf(join(modDir, 'golang.org', folder), `${path}@${version}`)))
      spoiled.push({ path, version });
  }
  return spoiled;
}

/** `h1:` of golang.org/x/mod/sumdb/dirhash, without the go.mod files that Go copies from `_go.mod` (cmd/go/internal/toolchain). */
async function sumOf(dir: string, prefix: string): Promise<string> {
  const files = new Map<string, string>();
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const file = join(entry.parentPath, entry.name);
    const name = file.slice(dir.length + 1).replaceAll('\\', '/');
    // the zip has no links: a link's target is not hashed instead
    files.set(name, entry.isFile() ? (await digestFile(file)).sha256 : 'no file');
  }
  for (const [name, sha256] of [...files]) {
    const copy = /^(.*\/)?_go\.mod$/.test(name) ? name.replace(/_go\.mod$/, 'go.mod') : undefined;
    if (copy !== undefined && files.get(copy) === sha256) files.delete(copy);
  }
  const names = [...files.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const lines = names.map((name) => `${files.get(name)}  ${prefix}/${name}\n`);
  return `h1:${createHash('sha256').update(lines.join('')).digest('base64')}`;
}
