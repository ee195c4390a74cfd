import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestFile } from '../../../formats/digest.ts';
import { fail } from '../../errors.ts';
import type { BuiltBefore } from '../../release.ts';
import type { SourceOf } from '../../tool-file/tools.ts';
import { ruleFor } from '../../tool-file/version-rules.ts';
import { type Asking, inOneLine, refused, unreachable } from '../asking.ts';
import { GoVersions } from '../schema.ts';
import type { Go } from './command.ts';
import { judgeGoError } from './go-fault.ts';
import { type CorruptModule, corruptModules } from './module-cache.ts';

/** Older Go versions are no modules, so the go command cannot fetch them. */
const oldestMinor = 21;

/**
 * Which Go builds this version: the one in the tool file, otherwise the last patch of the minor that the module's go.mod names
 * (spec upstream 8: goreleaser 1.20.0 does not compile with a current Go). `go1.21.13`. If the patch is open, the one that built
 * it before is kept (contract section 4).
 * @throws ReleaseError SOURCE_UNREACHABLE, TOOLCHAIN_UNAVAILABLE
 */
export async function chooseToolchain(
  go: Go,
  source: Pick<SourceOf<'go-module'>, 'toolchains'>,
  version: string,
  goMod: string,
  asking: Asking,
  before?: BuiltBefore,
): Promise<string> {
  const named = ruleFor(source.toolchains, version)?.go;
  if (before !== undefined && isRelease(before.toolchain)) {
    const isAllowed = isWithin(before.toolchain, named ?? `1.${minorOf(goMod)}`);
    if (isAllowed || before.isOnlyRepeated) return before.toolchain;
  }
  if (named !== undefined && named.split('.').length === 3) return `go${named}`;
  const minor = named === undefined ? minorOf(goMod) : Number(named.split('.')[1]);
  const { exitCode, stdout, stderr } = await go.run({
    args: ['list', '-m', '-versions', '-json', 'golang.org/toolchain'],
    env: toolchainTrust(go),
  });
  if (exitCode !== 0 && judgeGoError(stderr) === 'unreachable') return unreachable(asking, stderr.trim());
  const said = exitCode === 0 ? stdout.toString('utf8') : '{}';
  const { Versions = [] } = GoVersions.parse(JSON.parse(said));
  const patch = lastPatch(Versions, minor);
  if (patch !== undefined) return `go1.${minor}.${patch}`;
  return fail('TOOLCHAIN_UNAVAILABLE', {
    ...asking,
    toolchain: `go1.${minor}`,
    cause: 'the module proxy lists no release of it',
  });
}

/**
 * A release of Go by its plain name. It comes from an untrusted record and becomes GOTOOLCHAIN: `path`, `local` or
 * `go1.26.1-mine+path` would run a program of this machine.
 */
export function isRelease(toolchain: string): boolean {
  const minor = /^go1\.([1-9]\d{0,3})\.(?:0|[1-9]\d{0,3})$/.exec(toolchain)?.[1];
  return Number(minor ?? 0) >= oldestMinor;
}

/** @param named `1.21.13`, or `1.21` for any patch of it */
export function isWithin(toolchain: string, named: string): boolean {
  const isPatchOpen = named.split('.').length < 3;
  return toolchain === `go${named}` || (isPatchOpen && toolchain.startsWith(`go${named}.`));
}

/** The minor of `go 1.20`, `go 1.22.0`, at least 21. Without a line it is a module from before Go 1.12. */
export function minorOf(goMod: string): number {
  const minor = /^go[ \t]+1\.(\d+)/m.exec(goMod)?.[1] ?? '0';
  return Math.max(oldestMinor, Number(minor));
}

/** Of `v0.0.1-go1.21.13.linux-amd64`, on whichever platform, so that every machine comes to the same answer. */
export function lastPatch(versions: readonly string[], minor: number): number | undefined {
  const pattern = new RegExp(`^v0\\.0\\.1-go1\\.${minor}\\.(\\d+)\\.`);
  const patches = versions.map((version) => Number(pattern.exec(version)?.[1] ?? Number.NaN));
  return patches.filter((patch) => !Number.isNaN(patch)).sort((a, b) => b - a)[0];
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
