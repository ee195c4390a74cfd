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
  } catch (thrown) {
    const error = isCutShort(thrown, invocation.signal) ? interrupted(thrown) : thrown;
    if (flags.json && error instanceof ReleaseError) report.failed('', error);
    throw error;
  }
}

/** Before there is a tool to work for, what is cut short by Ctrl-C fails as if nobody answered. */
function isCutShort(error: unknown, { aborted }: AbortSignal): boolean {
  return aborted && error instanceof Error && (!('exitCode' in error) || error.exitCode === 4);
}

function interrupted(cause: unknown): ReleaseError {
  return new ReleaseError('INTERRUPTED', { state: 'Nothing was published' }, cause);
}
