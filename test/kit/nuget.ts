import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasProgram, type RunResult, run } from './programs.ts';

/** The real nuget.exe, from npm, runs here when mono is there. */
export const hasNuget = hasProgram('mono');

const exe = join(import.meta.dirname, '..', '..', 'node_modules', 'nuget-exe', 'nuget-5.8.0.exe');

export type Nuget = (...args: string[]) => Promise<RunResult>;

/** nuget.exe with a home of its own in `dir`: its HTTP cache survives `-NoCache`, so each user of it gets another folder. */
export async function makeNuget(dir: string): Promise<Nuget> {
  const home = join(dir, 'nuget-home');
  // Without settings it writes those of nuget.org, and waits for that host where there is no network.
  const settings = join(home, 'config', 'NuGet');
  await mkdir(settings, { recursive: true });
  await writeFile(
    join(settings, 'NuGet.Config'),
    '<configuration><packageSources><clear /></packageSources></configuration>',
  );
  const env = {
    HOME: home,
    XDG_DATA_HOME: join(home, 'share'),
    XDG_CONFIG_HOME: join(home, 'config'),
    NUGET_PACKAGES: join(home, 'packages'),
    NUGET_HTTP_CACHE_PATH: join(home, 'http'),
    TMPDIR: home,
  };
  return (...args) => run('mono', [exe, ...args, '-NonInteractive'], { env });
}
