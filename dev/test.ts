import { Command } from 'commander';
import type { Invocation } from '../invocation.ts';
import { runSteps } from './run-steps.ts';

/** Runs all projects but the slow ones, unless an argument chooses projects itself. */
export function createCommand(invocation: Invocation): Command {
  return vitestCommand(invocation, (args) =>
    args.some((arg) => arg.startsWith('--project')) ? args : ['--project', '!slow', ...args],
  ).description('Runs the tests except the slow ones; names of files or folders select some.');
}

export function createAllCommand(invocation: Invocation): Command {
  return vitestCommand(invocation, (args) => args).description(
    'Runs all tests; `--project slow` runs only the slow ones.',
  );
}

function vitestCommand(
  invocation: Invocation,
  choose: (args: readonly string[]) => readonly string[],
): Command {
  return new Command()
    .argument('[FILE...]')
    .allowUnknownOption()
    .action(async (args: string[]) => {
      const steps = [{ title: 'tests (vitest)', program: 'vitest', args: ['run', ...choose(args)] }];
      process.exitCode = await runSteps(invocation, steps);
    });
}
