import { Command } from 'commander';
import type { Invocation } from '../invocation.ts';
import { runSteps } from './run-steps.ts';

export function createCommand(invocation: Invocation): Command {
  return new Command()
    .description('the tests; names of files or folders choose among them')
    .argument('[FILE...]')
    .allowUnknownOption()
    .action(async (files: string[]) => {
      const steps = [{ title: 'tests (vitest)', program: 'vitest', args: ['run', ...files] }];
      process.exitCode = await runSteps(invocation, steps);
    });
}
