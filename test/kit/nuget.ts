import type { ChildProcess } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
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
  return async (...args) => {
    const result = await run('mono', [exe, ...args, '-NonInteractive'], { env, onStart: wakeAtEnd });
    return { ...result, stdout: result.stdout.split('\nFull thread dump:\n', 1).join() };
  };
}

/** How long mono may do nothing at all: a server of the tests answers sooner. */
const idleMs = 3_000;

/**
 * On a busy machine one run in twenty of mono 6.8 stays for up to a minute after all is done: a thread of its pool has gone to sleep just
 * before it was told to end (`worker_park` in mono's threadpool-worker-default.c). Asked for its stacks, mono wakes all threads.
 */
function wakeAtEnd(child: ChildProcess): void {
  let used = '';
  const timer = setInterval(async () => {
    const now = await readFile(`/proc/${child.pid}/stat`, 'utf8').catch(() => '');
    // `PID (NAME) STATE ...`: the whole line is the same where nothing ran.
    if (now !== '' && now === used && child.exitCode === null) child.kill('SIGQUIT');
    used = now;
  }, idleMs);
  child.once('exit', () => clearInterval(timer));
}
