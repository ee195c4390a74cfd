import { Command } from 'commander';
import { runSteps, type World } from './run-steps.ts';

export function createCommand(world: World): Command {
  return new Command()
    .description('the tests; names of files or folders choose among them')
    .argument('[FILE...]')
    .allowUnknownOption()
    .action(async (files: string[]) => {
      const steps = [{ title: 'tests (vitest)', program: 'vitest', args: ['run', ...files] }];
      process.exitCode = await runSteps(world, steps);
    });
}
