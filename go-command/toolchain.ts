import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as othersFirst } from 'node:timers/promises';
import { fail } from '../errors/release-error.ts';
import { type Asking, inOneLine, refused, unreachable } from '../outbound/asking.ts';
import type { Go } from './command.ts';
import { judgeGoError } from './go-fault.ts';
import { type CorruptModule, corruptModules } from './module-cache.ts';

/**
 * The Go of a program of this product, `go1.26.1`: its go.mod names it in full, since the same source and the same Go make the same
 * bytes on every machine (decision 21).
 * @param folder for the message of a fault
 */
export function toolchainIn(goMod: string, folder: string): string {
  const [, toolchain] = /^toolchain (go\d+\.\d+\.\d+)$/m.exec(goMod) ?? [];
  if (toolchain === undefined) throw new Error(`${folder}/go.mod names no toolchain`);
  return toolchain;
}

/**
 * Brings a toolchain here (from the module proxy when it is not) and gives the path of its `go`.
 * @throws ReleaseError TOOLCHAIN_UNAVAILABLE, SOURCE_UNREACHABLE, REFUSED
 */
export async function fetchToolchain(
  go: Go,
  toolchain: string,
  asking: Asking,
  onLine: (line: string) => void,
): Promise<string> {
  // before anything in it is run
  await go.forget(await corruptToolchains(go.modDir, toolchain));
  const { exitCode, stdout, stderr } = await go.run({
    args: ['env', 'GOROOT'],
    env: { ...toolchainTrust(go), GOTOOLCHAIN: toolchain },
    onLine,
  });
  const said = inOneLine(stderr);
  if (exitCode !== 0 && corruptModules(stderr).length > 0)
    return refused(asking, toolchain, 'the sum in the Go checksum database', said);
  if (exitCode !== 0 && judgeGoError(said) === 'unreachable') return unreachable(asking, said);
  if (exitCode !== 0) return fail('TOOLCHAIN_UNAVAILABLE', { ...asking, toolchain, cause: said });
  return join(stdout.toString('utf8').trim(), 'bin', process.platform === 'win32' ? 'go.exe' : 'go');
}

/**
 * Go never takes a toolchain that the checksum database does not vouch for, also where it is off for modules. So it stays
 * on for this one, at Go's own default.
 */
export function toolchainTrust({ machine }: Go): Readonly<Record<string, string | undefined>> {
  return machine.GOSUMDB === 'off' ? { GOSUMDB: undefined } : {};
}

const path = 'golang.org/toolchain';

/**
 * The toolchains of this name in the module cache whose folder has other files than the zip that Go unpacked and checked. Go runs a
 * folder that is there without looking at it again, and `go mod verify` cannot be asked: Go itself adds go.mod files to it.
 * @param modDir GOMODCACHE
 */
export async function corruptToolchains(
  modDir: string,
  toolchain: string,
): Promise<readonly CorruptModule[]> {
  const prefix = `toolchain@v0.0.1-${toolchain}.`;
  const isOfIt = (name: string): boolean =>
    name.startsWith(prefix) && /^\w+-\w+$/.test(name.slice(prefix.length));
  const folders = await readdir(join(modDir, 'golang.org')).catch(() => []);
  const corrupt: CorruptModule[] = [];
  for (const folder of folders.filter(isOfIt)) {
    const version = folder.slice('toolchain@'.length);
    const sumFile = join(modDir, 'cache', 'download', path, '@v', `${version}.ziphash`);
    const sum = await readFile(sumFile, 'utf8').catch(() => '');
    if (sum.trim() !== (await sumOf(join(modDir, 'golang.org', folder), `${path}@${version}`)))
      corrupt.push({ path, version });
  }
  return corrupt;
}

/** Before whatever else waits in this process has its turn: some milliseconds. */
const filesAtOnce = 100;

/** `h1:` of golang.org/x/mod/sumdb/dirhash, without the go.mod files that Go copies from `_go.mod` (cmd/go/internal/toolchain). */
async function sumOf(dir: string, prefix: string): Promise<string> {
  const files = new Map<string, string>();
  const buffer = Buffer.allocUnsafe(256 * 1024);
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const file = join(entry.parentPath, entry.name);
    const name = file.slice(dir.length + 1).replaceAll('\\', '/');
    // the zip has no links: a link's target is not hashed instead
    files.set(name, entry.isFile() ? sha256Of(file, buffer) : 'no file');
    if (files.size % filesAtOnce === 0) await othersFirst();
  }
  for (const [name, sha256] of [...files]) {
    const copy = /^(.*\/)?_go\.mod$/.test(name) ? name.replace(/_go\.mod$/, 'go.mod') : undefined;
    if (copy !== undefined && files.get(copy) === sha256) files.delete(copy);
  }
  const names = [...files.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const lines = names.map((name) => `${files.get(name)}  ${prefix}/${name}\n`);
  return `h1:${createHash('sha256').update(lines.join('')).digest('base64')}`;
}

/** A toolchain has ten thousand small files: asynchronously, most of the time would go into the way to another thread and back. */
function sha256Of(path: string, buffer: Buffer): string {
  const hash = createHash('sha256');
  const file = openSync(path, 'r');
  try {
    for (;;) {
      const read = readSync(file, buffer);
      if (read === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, read));
    }
  } finally {
    closeSync(file);
  }
}
