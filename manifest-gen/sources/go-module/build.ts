import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Digest, digestFile } from '../../../formats/digest.ts';
import type { Architecture } from '../../../formats/release-record.ts';
import { withTempDir } from '../../../formats/scoped.ts';
import { fail } from '../../errors.ts';
import type { GoModule } from '../../release.ts';
import type { Cache } from '../../system/cache/cache.ts';
import { type Asking, inOneLine, refused } from '../asking.ts';
import type { Go } from './command.ts';
import { lacksOrFail } from './go-fault.ts';
import { corruptModules } from './module-cache.ts';

/** Of every build; the linker drops symbols and the build id, which differs by folder. */
export const ldflags = '-s -w -buildid=';

export type GoBuild = {
  readonly cache: Cache;
  readonly architecture: Architecture;
  readonly goModule: GoModule;
  readonly onLine: (line: string) => void;
  /** The modules of the builds before it, compared already: all architectures are built of the same ones. */
  readonly checked: Set<string>;
};

/**
 * The exe of one architecture, from the cache when it was built before. `toolchainProgram` is asked only for a real build.
 * @throws ReleaseError BUILD_FAILED, INTERRUPTED
 */
export async function buildGoExe(
  go: Go,
  build: GoBuild,
  asking: Asking,
  toolchainProgram: () => Promise<string>,
): Promise<KeptExe> {
  const { cache, architecture, goModule } = build;
  const { path: main, version, toolchain, tags, sum } = goModule;
  const folder = await cache.built(
    JSON.stringify([main, version, sum, toolchain, architecture, ldflags, tags]),
  );
  const kept = await keptExe(folder);
  if (kept !== undefined) return kept;

  // a GOPATH of its own, gone afterwards: two builds at once must not meet in one bin folder
  return withTempDir(join(await cache.go('work'), 'build-'), async (gopath) => {
    // a build that is interrupted leaves its work behind: here it is gone with the rest
    const workDir = join(gopath, 'tmp');
    await mkdir(workDir);
    const program = await toolchainProgram();
    const modules = [goModule.module, version, toolchain].join(' ');
    if (!build.checked.has(modules)) await checkModules(go, { ...build, program, gopath }, asking);
    build.checked.add(modules);
    const own = { GOPATH: gopath, GOTMPDIR: workDir, GOTOOLCHAIN: toolchain };
    const { exitCode, stderr } = await go.run({
      program,
      args: installArgs(main, version, tags),
      env: { ...own, GOOS: 'windows', GOARCH: architecture },
      onLine: build.onLine,
    });
    if (exitCode === 0) return keepExe(await onlyExe(join(gopath, 'bin')), folder);
    refuseSpoiled(stderr, asking);
    const cause = stderr.trim().split('\n').slice(-5).join(' ');
    return fail('BUILD_FAILED', { ...asking, architecture, cause });
  });
}

/**
 * Compares the folders that the build compiles with what Go checked when it unpacked them, which a build trusts: for each module
 * of the build in the cache. What has changed since is fetched again (Go.run).
 */
async function checkModules(
  go: Go,
  job: Pick<GoBuild, 'architecture' | 'goModule'> & { readonly program: string; readonly gopath: string },
  asking: Asking,
): Promise<void> {
  const { program, gopath, architecture, goModule } = job;
  const { module, version, toolchain } = goModule;
  const cwd = join(gopath, 'check');
  await mkdir(cwd);
  const goMod = `module check\n\ngo ${toolchain.replace(/^go/, '')}\n\nrequire ${module} ${version}\n`;
  await writeFile(join(cwd, 'go.mod'), goMod);
  const env = { GOPATH: gopath, GOTOOLCHAIN: toolchain, GOFLAGS: '-mod=mod' };
  const { exitCode, stderr } = await go.run({ program, args: ['mod', 'verify'], cwd, env });
  if (exitCode === 0) return;
  refuseSpoiled(stderr, asking);
  lacksOrFail(stderr, `${module}@${version}`, asking);
  fail('BUILD_FAILED', { ...asking, architecture, cause: stderr.trim() });
}

/** Fetched again (Go.run), and still wrong. */
function refuseSpoiled(said: string, asking: Asking): void {
  const [corrupt] = corruptModules(said);
  if (corrupt === undefined) return;
  const found = inOneLine(said).slice(0, 500);
  refused(asking, `${corrupt.path}@${corrupt.version}`, 'the files of its sum', found);
}

/** Contract section 5, so that anyone can rebuild and compare. */
export function installArgs(main: string, version: string, tags: string): string[] {
  const flags = [
    '-trimpath',
    '-buildvcs=false',
    '-ldflags',
    ldflags,
    ...(tags === '' ? [] : ['-tags', tags]),
  ];
  return ['install', ...flags, `${main}@${version}`];
}

/** `bin/windows_amd64/dlv.exe`, or `bin/dlv.exe` where that is the machine's own platform. */
async function onlyExe(bin: string): Promise<string> {
  const names = await readdir(bin, { recursive: true });
  const [exe, ...more] = names.filter((name) => name.endsWith('.exe'));
  if (exe === undefined || more.length > 0)
    throw new Error(`one exe expected in ${bin}, found ${names.join(', ')}`);
  return join(bin, exe);
}

/** An exe that was made on this machine, in the folder of the cache that is its own (Cache.built). */
type KeptExe = { readonly name: string; readonly path: string; readonly digest: Digest };

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
