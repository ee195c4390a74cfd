import { Command } from 'commander';
import { runSteps } from './run-steps.ts';

type World = { readonly productDir: string; readonly env: Readonly<Record<string, string | undefined>> };

export function createCommand(world: World): Command {
  return new Command()
    .description('benchmarks: ratios against references in the same run')
    .argument('[ARGUMENT...]')
    .allowUnknownOption()
    .helpOption(false)
    .action(async (args: string[]) => {
      const steps = [{ title: 'bench', program: 'tsx', args: ['bench/main.ts', ...args] }];
      process.exitCode = await runSteps(world.productDir, steps, world.env);
    });
}
