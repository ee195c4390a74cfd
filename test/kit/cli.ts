import { mainJs } from './main-js.ts';
import { type RunResult, run } from './programs.ts';
import { productDir } from './test-server.ts';

/** Runs a verb as a process of its own, as the installed program does. */
export function cli(env: Readonly<Record<string, string>>, ...args: string[]): Promise<RunResult> {
  return run(process.execPath, [mainJs, ...args], {
    cwd: productDir,
    env,
  });
}
