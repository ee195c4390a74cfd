import { mkdir, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { mustRun, type RunOptions, run } from './programs.ts';

export type Buildah = {
  /** Before each command's own: where its images and containers are. */
  readonly options: readonly string[];
  /** Must succeed; answers with its trimmed output. */
  run(args: readonly string[], options?: RunOptions): Promise<string>;
  /** Builds an image of a Dockerfile out of images that exist here. */
  build(args: readonly string[], options?: RunOptions): Promise<string>;
  /** Removes all images and containers. */
  remove(): Promise<void>;
};

const drivers = [
  // Its own folder need not be a mount, which would have to end before the folder can go.
  ['overlay', '--storage-opt', 'overlay.skip_mount_home=true'],
  ['vfs'],
] as const;

/**
 * buildah with images and containers of its own below `dir`. Their layers lie one on the other where the kernel and the disk allow it
 * (overlay); else each is a copy of all below it (vfs), and half a minute goes into copying at every step.
 */
export async function openBuildah(dir: string): Promise<Buildah> {
  for (const [driver, ...more] of drivers) {
    const place = join(dir, driver);
    const options = ['--storage-driver', driver, ...more, '--root', place, '--runroot', `${place}-run`];
    const call = (args: readonly string[]): string[] => [...options, ...args];
    const { code, stdout } = await run('buildah', call(['from', 'scratch']));
    if (code !== 0) continue;
    await mustRun('buildah', call(['rm', stdout.trim()]));
    const buildah: Buildah = {
      options,
      run: async (args, settings) => (await mustRun('buildah', call(args), settings)).trim(),
      build: (args, settings) =>
        buildah.run(
          ['bud', '--isolation', 'chroot', '--pull-never', '--format', 'docker', ...args],
          settings,
        ),
      async remove() {
        // also what is mounted
        await buildah.run(['rm', '--all']);
        await rm(place, { recursive: true, force: true });
      },
    };
    return buildah;
  }
  throw new Error('buildah can keep images neither by overlay nor by vfs');
}

/**
 * Gives builds a folder of this machine for a `RUN --mount=type=cache` without an id: buildah has it below TMPDIR, by its target
 * (pkg/parse, GetCacheMount).
 * @param tmpDir the TMPDIR of the builds
 */
export async function shareCacheMount(tmpDir: string, target: string, folder: string): Promise<void> {
  const place = join(tmpDir, 'buildah-cache', target);
  await mkdir(folder, { recursive: true });
  await mkdir(dirname(place), { recursive: true });
  await symlink(folder, place);
}
