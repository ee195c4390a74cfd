import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import type { Invocation } from '../invocation.ts';
import { bundleProgram } from './bundle.ts';

export function createCommand({ productDir }: Invocation): Command {
  return new Command()
    .description('Compiles the program into dist/, to be run by `node dist/main.js VERB`.')
    .action(async () => {
      const dist = join(productDir, 'dist');
      await rm(dist, { recursive: true, force: true });
      await bundleProgram(productDir, dist);
    });
}
