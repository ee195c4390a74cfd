import type { ReleaseError } from '../errors.ts';
import type { CommandReport } from '../report.ts';
import type { Tool } from '../tools.ts';
import type { World } from '../world.ts';
import { releaseBeta } from './beta.ts';
import { promote } from './promote.ts';

/** How it ended for one tool: `installable` says that main and the feed offer it now. */
export type FirstOutcome = { readonly tool: Tool; readonly isInstallable: boolean };

/**
 * Releases the tools' `first:` versions to beta and promotes them, one tool after the other, each from whatever source can
 * be reached (contract section 1: `start` alone goes on past a source that does not answer). What fails is told by the
 * report; the next tool follows.
 * @throws ReleaseError INTERRUPTED, FEED_*, BUCKET_*
 */
export async function releaseFirst(
  world: World,
  tools: readonly Tool[],
  onEnd: (outcome: FirstOutcome) => Promise<void>,
): Promise<void> {
  const told = { ...world, report: sayingSkipped(world.report) };
  for (const tool of tools) {
    const beta = await releaseBeta(told, [{ tool, version: tool.first }], { goOn: true });
    const stable =
      beta.failures.length > 0 ? undefined : await promote(told, [{ tool, version: tool.first }], {});
    await onEnd({ tool, isInstallable: stable !== undefined && stable.failures.length === 0 });
  }
}

/** A machine without Go is nothing wrong with the tool: it is skipped, which is not the same as failed. */
function sayingSkipped(report: CommandReport): CommandReport {
  return {
    ...report,
    failed(tool: string, error: ReleaseError) {
      if (error.code === 'TOOLCHAIN_MISSING') report.step(tool, 'skipped: needs Go >= 1.21');
      else report.failed(tool, error);
    },
  };
}
