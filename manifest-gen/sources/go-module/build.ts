import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../../../errors/release-error.ts';
import type { Architecture } from '../../../formats/release-record.ts';
import { withTempDir } from '../../../formats/scoped.ts';
import { buildFlags, type KeptExe, keepExe, keptExe, ldflags } from '../../../go-command/built-exe.ts';
import type { Go } from '../../../go-command/command.ts';
import { lacksOrFail } from '../../../go-command/go-fault.ts';
import { corruptModules } from '../../../go-command/module-cache.ts';
import { type Asking, inOneLine, refused } from '../../../outbound/asking.ts';
import type { Cache } from '../../../system/cache/cache.ts';
import type { GoModule } from '../../release.ts';

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
  const chosen = tags === '' ? [] : ['-tags', tags];
  return ['install', ...buildFlags, ...chosen, `${main}@${version}`];
}

/** `bin/windows_amd64/dlv.exe`, or `bin/dlv.exe` where that is the machine's own platform. */
async function onlyExe(bin: string): Promise<string> {
  const names = await readdir(bin, { recursive: true });
  const [exe, ...more] = names.filter((name) => name.endsWith('.exe'));
  if (exe === undefined || more.length > 0)
    throw new Error(`one exe expected in ${bin}, found ${names.join(', ')}`);
  return join(bin, exe);
}
