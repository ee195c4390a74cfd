import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasProgram, mustRun, type RunOptions, type RunResult, run } from './programs.ts';
import { usualTemp } from './use-disk.ts';
import { whenEnded } from './when-ended.ts';

const mingw = 'x86_64-w64-mingw32-gcc';

/** Windows programs run here when wine is there, and mingw-w64 for the one DLL that wine 8 lacks. */
export const hasWine = hasProgram('wine') && hasProgram(mingw);

/** A terminal, out of which wine makes a console. */
export const hasConsole = hasProgram('script');

export type Wine = {
  run(exe: string, args: readonly string[], options?: Pick<RunOptions, 'cwd'>): Promise<RunResult>;
  /** For what may leave a program running, which would hold the pipes of `run` open; what it prints is lost. Answers with its exit code. */
  runAlone(exe: string, args: readonly string[]): Promise<number>;
  /** With a console, as in a window; what it prints is lost among the codes that draw it. */
  runOnConsole(exe: string, args: readonly string[]): Promise<RunResult>;
  stop(): Promise<void>;
};

/** A fresh Windows in a folder. */
export async function startWine(dir: string): Promise<Wine> {
  const env = wineEnvironment(dir);
  await mkdir(dir, { recursive: true });
  await mustRun('cp', ['-a', '--reflink=auto', join(await freshWindows(), 'wine'), env.WINEPREFIX]);
  return {
    async run(exe, args, options) {
      const start = () => run('wine', [exe, ...args], { ...options, env });
      const result = await start();
      return isUnstarted(join(env.WINEPREFIX, 'drive_c'), result.stderr) ? start() : result;
    },
    async runAlone(exe, args) {
      const child = spawn('wine', [exe, ...args], { stdio: 'ignore', env: { ...process.env, ...env } });
      return (await whenEnded(child)).code ?? 137;
    },
    runOnConsole: (exe, args) => {
      const line = ['wine', exe, ...args].map((word) => `'${word}'`).join(' ');
      return run('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
        env: { ...env, TERM: 'xterm' },
      });
    },
    stop: async () => {
      await run('wineserver', ['--kill'], { env });
    },
  };
}

/**
 * Whether cmd says that it could not start a program which is there. Wine 8 on a busy machine fails so once in a thousand starts. Nothing
 * of the program ran, so that its call may be made once more.
 */
export function isUnstarted(drive: string, stderr: string): boolean {
  const [, path] = /Can't recognize '"C:\\([^"]+)"/i.exec(stderr) ?? [];
  return path !== undefined && existsSync(join(drive, ...path.split('\\')));
}

function wineEnvironment(dir: string) {
  return {
    WINEPREFIX: join(dir, 'wine'),
    WINEDEBUG: '-all',
    WINEARCH: 'win64',
    DISPLAY: '',
    HOME: dir,
  };
}

/** Made once a run, by whoever comes first, since it takes some seconds; all others copy it. */
async function freshWindows(): Promise<string> {
  const dir = join(usualTemp, 'fresh-windows');
  const isDone = join(dir, 'done');
  const isFirst = await mkdir(dir).then(
    () => true,
    () => false,
  );
  if (!isFirst) {
    while (!existsSync(isDone) && existsSync(dir)) await sleep(100);
    return existsSync(isDone) ? dir : freshWindows();
  }
  try {
    const env = wineEnvironment(dir);
    await mkdir(env.WINEPREFIX);
    await mustRun('wineboot', ['--init'], { env });
    await mustRun('wineserver', ['--wait'], { env });
    const dll = join(env.WINEPREFIX, 'drive_c', 'windows', 'system32', 'bcryptprimitives.dll');
    const source = join(import.meta.dirname, 'bcryptprimitives.c');
    await mustRun(mingw, ['-shared', '-o', dll, source, '-ladvapi32']);
    await writeFile(isDone, '');
    return dir;
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}
