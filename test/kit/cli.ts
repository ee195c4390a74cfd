import { join } from 'node:path';
import { type RunResult, run } from './programs.ts';
import { productDir } from './test-server.ts';

/** Runs `main.ts VERB ...` as a process of its own, as every pnpm script does. */
export function cli(env: Readonly<Record<string, string>>, ...args: string[]): Promise<RunResult> {
  return run(process.execPath, ['--import', 'tsx', join(productDir, 'main.ts'), ...args], {
    cwd: productDir,
    env,
  });
}
