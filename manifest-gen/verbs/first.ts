import type { ReleaseError } from '../../errors/release-error.ts';
import type { CommandReport } from '../report/report.ts';
import type { UpstreamKind } from '../tool-file/sources.ts';
import type { Tool } from '../tool-file/tools.ts';
import { betaPhases } from './beta.ts';
import { promotePhases } from './promote.ts';
import { runPhases } from './run/run.ts';
import type { OpenVerbToolkit, VerbToolkit } from './run/toolkit.ts';
import { readAgain, withFeed } from './run/with-feed.ts';

/** On a feed that was empty a minute ago, no beta can be as old as a tool's `minAge` asks. */
const skipMinAge = 'the first release on an empty feed';

/** How it ended for one tool: `installable` says that main and the feed offer it now. */
export type FirstOutcome = {
  readonly tool: Tool;
  readonly isInstallable: boolean;
  /** The source that was used or chosen; undefined when none could be reached. */
  readonly source: UpstreamKind | undefined;
};

/**
 * Releases the tools' `first:` versions to beta and promotes them, one tool after the other, each from whatever source can be
 * reached (contract section 1: `start` alone goes on past a source that does not answer). Failures are reported; the next tool
 * follows.
 * @throws ReleaseError INTERRUPTED, FEED_*, BUCKET_*
 */
export function releaseFirst(
  toolkit: VerbToolkit,
  tools: readonly Tool[],
  onEnd: (outcome: FirstOutcome) => Promise<void>,
): Promise<void> {
  return withFeed(toolkit, async (opened) => {
    for (const tool of tools) {
      let source: UpstreamKind | undefined;
      const report = sayingSkipped(toolkit.report, tool, (chosen) => {
        source = chosen;
      });
      const own = { ...opened, report };
      const isInstallable = (await releaseFromAny(own, tool)) && (await promoteFirst(own, tool));
      await onEnd({ tool, isInstallable, source });
    }
  });
}

/** A source may answer while its files cannot be downloaded from another host: then the sources after it are tried, too. */
async function releaseFromAny(toolkit: OpenVerbToolkit, tool: Tool): Promise<boolean> {
  const request = { tool, version: tool.first };
  for (let sources: readonly UpstreamKind[] | undefined; ; ) {
    const options = { goOn: true, sources, isPromotedNext: true };
    const { failures } = await runPhases(await readAgain(toolkit), [request], options, betaPhases);
    if (failures.length === 0) return true;
    sources = sourcesLeft(tool, failures[0]?.error);
    if (sources.length === 0) return false;
  }
}

async function promoteFirst(toolkit: OpenVerbToolkit, tool: Tool): Promise<boolean> {
  const options = { skipMinAge: tool.minAge && skipMinAge, isJustMade: true };
  const request = { tool, version: tool.first };
  const { failures } = await runPhases(await readAgain(toolkit), [request], options, promotePhases);
  return failures.length === 0;
}

/** Those after the one that could not be reached; none after any other failure. */
function sourcesLeft(tool: Tool, error: ReleaseError | undefined): readonly UpstreamKind[] {
  if (error?.code !== 'SOURCE_UNREACHABLE') return [];
  const kinds = tool.sources.map(({ kind }) => kind);
  const names: readonly string[] = kinds;
  const failed = names.indexOf(String(error.details.kind));
  return failed < 0 ? [] : kinds.slice(failed + 1);
}

/** A machine without Go is nothing wrong with the tool: it is skipped, which is not the same as failed. */
function sayingSkipped(
  report: CommandReport,
  only: Tool,
  onChoice: (source: UpstreamKind) => void,
): CommandReport {
  return {
    ...report,
    plan(rows) {
      const chosen = rows[0]?.sourceKind;
      if (chosen !== undefined) onChoice(chosen);
      report.plan(rows);
    },
    failed(tool: string, error: ReleaseError) {
      if (error.code === 'TOOLCHAIN_MISSING') {
        onChoice('go-module');
        report.step(tool, 'skipped: needs Go >= 1.21');
      } else if (sourcesLeft(only, error).length > 0) report.warn(tool, error.message);
      else report.failed(tool, error);
    },
  };
}
