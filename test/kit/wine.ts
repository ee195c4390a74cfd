import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasProgram, mustRun, type RunOptions, type RunResult, run } from './programs.ts';

const mingw = 'x86_64-w64-mingw32-gcc';

/** Windows programs run here when wine is there, and mingw-w64 for the one DLL that wine 8 lacks. */
export const hasWine = hasProgram('wine') && hasProgram(mingw);

/** A terminal, out of which wine makes a console. */
export const hasConsole = hasProgram('script');

export type Wine = {
  run(exe: string, args: readonly string[], options?: Pick<RunOptions, 'cwd'>): Promise<RunResult>;
  /** With a console, as in a window; what it prints is lost among the codes that draw it. */
  runOnConsole(exe: string, args: readonly string[]): Promise<RunResult>;
  stop(): Promise<void>;
};

/** Makes a fresh Windows in a folder; it takes some seconds. */
export async function startWine(dir: string): Promise<Wine> {
  const prefix = join(dir, 'wine');
  const env = { WINEPREFIX: prefix, WINEDEBUG: '-all', WINEARCH: 'win64', DISPLAY: '', HOME: dir };
  await mkdir(prefix, { recursive: true });
  await mustRun('wineboot', ['--init'], { env });
  await mustRun('wineserver', ['--wait'], { env });
  const dll = join(prefix, 'drive_c', 'windows', 'system32', 'bcryptprimitives.dll');
  await mustRun(mingw, ['-shared', '-o', dll, join(import.meta.dirname, 'bcryptprimitives.c'), '-ladvapi32']);
  return {
    run: (exe, args, options) => run('wine', [exe, ...args], { ...options, env }),
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
