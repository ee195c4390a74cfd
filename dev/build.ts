import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import type { Invocation } from '../invocation.ts';
import { runSteps } from './run-steps.ts';

export function createCommand(invocation: Invocation): Command {
  return new Command()
    .description('dist/: the program as plain JavaScript, run by `node dist/main.js VERB`')
    .action(async () => {
      await rm(join(invocation.productDir, 'dist'), { recursive: true, force: true });
      const steps = [{ title: 'build (tsc)', program: 'tsc', args: ['-p', 'tsconfig.build.json'] }];
      process.exitCode = await runSteps(invocation, steps);
    });
}
