import { Command } from 'commander';
import type { Invocation } from '../invocation.ts';
import { runSteps } from './run-steps.ts';

export function createCommand(invocation: Invocation): Command {
  return new Command()
    .description('benchmarks: ratios against references in the same run')
    .argument('[ARGUMENT...]')
    .allowUnknownOption()
    .helpOption(false)
    .action(async (args: string[]) => {
      const steps = [{ title: 'bench', program: 'tsx', args: ['bench/main.ts', ...args] }];
      process.exitCode = await runSteps(invocation, steps);
    });
}
