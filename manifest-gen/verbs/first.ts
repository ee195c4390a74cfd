import type { ReleaseError } from '../errors.ts';
import type { CommandReport } from '../report/report.ts';
import type { Tool, UpstreamKind } from '../tool-file/tools.ts';
import { releaseBeta } from './beta.ts';
import { promote } from './promote.ts';
import type { RunResult } from './run/run-each.ts';
import type { VerbToolkit } from './run/toolkit.ts';

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
export async function releaseFirst(
  toolkit: VerbToolkit,
  tools: readonly Tool[],
  onEnd: (outcome: FirstOutcome) => Promise<void>,
): Promise<void> {
  for (const tool of tools) {
    let source: UpstreamKind | undefined;
    const report = sayingSkipped(toolkit.report, tool, (chosen) => {
      source = chosen;
    });
    const told = { ...toolkit, report };
    const beta = await releaseFromAny(told, tool);
    const stable =
      beta.failures.length > 0
        ? undefined
        : await promote(told, [{ tool, version: tool.first }], {
            skipMinAge: tool.minAge && skipMinAge,
            isJustMade: true,
          });
    await onEnd({ tool, isInstallable: stable !== undefined && stable.failures.length === 0, source });
  }
}

/** A source may answer while its files cannot be downloaded from another host: then the sources after it are tried, too. */
async function releaseFromAny(toolkit: VerbToolkit, tool: Tool): Promise<RunResult> {
  const request = { tool, version: tool.first };
  let result = await releaseBeta(toolkit, [request], { goOn: true });
  for (let sources = sourcesLeft(tool, result.failures[0]?.error); sources.length > 0; ) {
    result = await releaseBeta(toolkit, [request], { goOn: true, sources });
    sources = sourcesLeft(tool, result.failures[0]?.error);
  }
  return result;
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
