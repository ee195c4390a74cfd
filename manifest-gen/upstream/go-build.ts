import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Digest, digestFile } from '../../formats/digest.ts';
import type { Architecture } from '../../formats/release-record.ts';
import type { Cache } from '../cache.ts';
import { fail } from '../errors.ts';
import type { GoModule } from '../release.ts';
import type { Asking } from './asking.ts';
import type { Go } from './go-command.ts';

/** Of every build; the linker drops symbols and the build id, which differs by folder. */
export const ldflags = '-s -w -buildid=';

export type GoBuild = {
  readonly cache: Cache;
  readonly architecture: Architecture;
  readonly goModule: GoModule;
  readonly onLine: (line: string) => void;
};
export type BuiltExe = { readonly name: string; readonly path: string; readonly digest: Digest };

/**
 * The exe of one architecture, from the cache when it was built before. `toolchainProgram` is asked only for a real build.
 * @throws ReleaseError BUILD_FAILED, INTERRUPTED
 */
export async function buildGoExe(
  go: Go,
  build: GoBuild,
  asking: Asking,
  toolchainProgram: () => Promise<string>,
): Promise<BuiltExe> {
  const { cache, architecture, goModule } = build;
  const { path: main, version, toolchain, tags, sum } = goModule;
  const folder = await cache.built(
    JSON.stringify([main, version, sum, toolchain, architecture, ldflags, tags]),
  );
  const kept = await keptExe(folder);
  if (kept !== undefined) return kept;

  // a GOPATH of its own, gone afterwards: two builds at once must not meet in one bin folder
  const gopath = await mkdtemp(join(await cache.go('work'), 'build-'));
  // a build that is interrupted leaves its work behind: here it is gone with the rest
  const workDir = join(gopath, 'tmp');
  try {
    await mkdir(workDir);
    const { exitCode, stderr } = await go.run({
      program: await toolchainProgram(),
      args: installArgs(main, version, tags),
      env: {
        GOPATH: gopath,
        GOTMPDIR: workDir,
        GOTOOLCHAIN: toolchain,
        GOOS: 'windows',
        GOARCH: architecture,
      },
      onLine: build.onLine,
    });
    if (exitCode !== 0) {
      const cause = stderr.trim().split('\n').slice(-5).join(' ');
      return fail('BUILD_FAILED', { ...asking, architecture, cause });
    }
    return await keepExe(await onlyExe(join(gopath, 'bin')), folder);
  } finally {
    await rm(gopath, { recursive: true, force: true });
  }
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

/** The digest beside it is written last: an exe without one is not taken. */
async function keepExe(exe: string, folder: string): Promise<BuiltExe> {
  const name = basename(exe);
  const path = join(folder, name);
  const digest = await digestFile(exe);
  await rename(exe, path);
  await writeFile(`${path}.sha256`, digest.sha256);
  return { name, path, digest };
}

async function keptExe(folder: string): Promise<BuiltExe | undefined> {
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
