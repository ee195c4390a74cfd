import { ReleaseError } from '../errors.ts';
import type { Tool } from '../tools.ts';
import { createReport, createWorld, type Invocation, loadToolsOf, type World } from '../world.ts';
import type { ReleaseFlags } from './flags.ts';

/** Builds the world and does the work in it. What ends a verb as a whole is an event for machines too; main.ts tells people. */
export async function runVerb(
  invocation: Invocation,
  flags: ReleaseFlags,
  work: (world: World, tools: readonly Tool[]) => Promise<void>,
): Promise<void> {
  const report = createReport(invocation, flags);
  try {
    const world = createWorld(invocation, report, { maxWaitMs: flags.maxWait });
    await work(world, await loadToolsOf(world));
  } catch (error) {
    if (flags.json && error instanceof ReleaseError) report.failed('', error);
    throw error;
  }
}
