import { Command } from 'commander';
import type { Invocation } from '../invocation.ts';
import { runSteps } from './run-steps.ts';

const steps = [
  { title: 'types (tsc, strict)', program: 'tsc', args: ['--noEmit', '-p', '.'] },
  { title: 'format and lint (biome)', program: 'biome', args: ['check', '.'] },
  { title: 'layers (dependency-cruiser)', program: 'tsx', args: ['dev/layers.ts'] },
  { title: 'dead code (knip)', program: 'knip', args: [] },
];

export function createCommand(invocation: Invocation): Command {
  return new Command().description('Checks types, lint, layers and dead code.').action(async () => {
    process.exitCode = await runSteps(invocation, steps);
  });
}
