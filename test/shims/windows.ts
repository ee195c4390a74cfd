import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, win32 } from 'node:path';
import { type BuiltProgram, buildProgram } from '../../own-packages/build-program.ts';
import { launcherSource } from '../../shims/package.ts';
import { createCache } from '../../system/cache/cache.ts';
import { mustRun } from '../kit/programs.ts';
import { testCacheDir } from '../kit/test-cache.ts';
import { productDir } from '../kit/test-server.ts';
import { makeAccess } from '../kit/upstream-fixture.ts';
import { isUnstarted, startWine, type Wine } from '../kit/wine.ts';
import type { Outcome } from './fixture.ts';

/** One call of a Windows program by CreateProcess (programs/driver.c). */
export type Call = {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  readonly line: string;
  /** A file's Windows path. */
  readonly input?: string;
  /** How it ends, once these files hold the ids of processes that it started: by force, by Ctrl-C, by itself. */
  readonly kill?: readonly string[];
  readonly interrupt?: readonly string[];
  readonly leave?: readonly string[];
};
/** `after` tells what became of those, `ended` or `lives`. */
export type Ended = Outcome & { readonly after: string };
export type Windows = {
  readonly wine: Wine;
  readonly launcher: BuiltProgram;
  /** Drive C. */
  readonly drive: string;
  readonly probe: string;
  runAll(calls: readonly Call[]): Promise<ReadonlyMap<string, Ended>>;
  /** Needs hasConsole. */
  runOnConsole(calls: readonly Call[]): Promise<ReadonlyMap<string, Ended>>;
};

/** A Windows with the stand-in for a tool, the launcher, and the program that runs many cases, in `cwd`, in one start. */
export async function startWindows(dir: string, cwd: string): Promise<Windows> {
  const wine = await startWine(dir);
  const drive = join(dir, 'wine', 'drive_c');
  const programs = join(import.meta.dirname, 'programs');
  await mkdir(join(drive, 'results'));
  const powershell = join(drive, 'windows', 'system32', 'WindowsPowerShell', 'v1.0');
  await rm(powershell, { recursive: true, force: true });
  await mkdir(powershell, { recursive: true });
  for (const [name, folder] of [
    ['probe', drive],
    ['driver', drive],
    ['powershell', powershell],
  ] as const) {
    const from = join(programs, `${name}.c`);
    const to = join(folder, `${name}.exe`);
    await mustRun('x86_64-w64-mingw32-gcc', ['-s', '-municode', '-o', to, from, '-lshell32']);
  }
  const launcher = await buildTestLauncher();
  return {
    wine,
    launcher,
    drive,
    probe: join(drive, 'probe.exe'),
    runAll: (calls) => runAll(drive, calls, (exe, args) => wine.run(exe, args, { cwd })),
    runOnConsole: (calls) => runAll(drive, calls, wine.runOnConsole),
  };
}

/** @param keptIn where signed ones are kept; each test has keys of its own */
export async function buildTestLauncher(signCommand?: string, keptIn = testCacheDir): Promise<BuiltProgram> {
  const [shared, own] = [createCache(testCacheDir), createCache(keptIn)];
  const settings = {
    ...makeAccess(),
    // What is built moves from `work` to `built`, which is on another disk than the shared cache where tests have theirs in memory.
    cache: {
      ...shared,
      built: own.built,
      go: (part: Parameters<typeof own.go>[0]) => (part === 'work' ? own : shared).go(part),
    },
    env: process.env,
    productDir,
    signCommand,
  };
  return buildProgram(settings, launcherSource);
}

/** ERROR_INTERNAL_ERROR of CreateProcess, by Wine 8 on a busy machine: nothing of the program ran (kit/wine.ts, isUnstarted). */
const notStarted = 1359;

async function runAll(
  drive: string,
  calls: readonly Call[],
  run: Wine['runOnConsole'],
): Promise<ReadonlyMap<string, Ended>> {
  const ended = await runOnce(drive, calls, run);
  const again = calls.filter(({ name }) => {
    const { code, stderr } = ended.get(name) ?? { code: notStarted, stderr: '' };
    return code === notStarted || isUnstarted(drive, stderr);
  });
  return new Map([...ended, ...(again.length === 0 ? [] : await runOnce(drive, again, run))]);
}

async function runOnce(
  drive: string,
  calls: readonly Call[],
  run: Wine['runOnConsole'],
): Promise<ReadonlyMap<string, Ended>> {
  const text = calls.flatMap(({ name, env, line, input, ...waits }) => [
    `case C:\\results\\${name}`,
    ...Object.entries(env).map(([key, value]) => `env ${key}=${value}`),
    ...(input === undefined ? [] : [`in ${input}`]),
    ...Object.entries(waits).map(([word, files]) => `${word} ${files.join(' ')}`),
    `run ${line}`,
  ]);
  await writeFile(join(drive, 'cases.txt'), `${text.join('\n')}\n`);
  const { code, stderr } = await run(join(drive, 'driver.exe'), ['C:\\cases.txt']);
  if (code !== 0) throw new Error(`driver.exe ended with ${code}: ${stderr}`);
  const ended = new Map<string, Ended>();
  for (const { name } of calls) {
    const file = join(drive, 'results', name);
    const [number = '', ...after] = (await readFile(`${file}.code`, 'utf8')).trim().split(' ');
    const [stdout, stderr] = [await readFile(`${file}.out`), await readFile(`${file}.err`, 'utf8')];
    ended.set(name, { code: Number(number), after: after.join(' '), stdout, stderr });
  }
  return ended;
}

export function windowsPath(...parts: string[]): string {
  return win32.join('C:\\', ...parts);
}
