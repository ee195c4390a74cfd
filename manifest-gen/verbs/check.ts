import { Argument, Option } from 'commander';
import { Ended } from '../../errors/ended.ts';
import { compareScoopVersions } from '../../formats/scoop-version.ts';
import { remedyOf } from '../../vulnerabilities/gaps.ts';
import type { Judged } from '../../vulnerabilities/policy.ts';
import { scanOffered } from '../build/scan.ts';
import { readReleaseVersion } from '../plan/release-version.ts';
import { takenBackBy } from '../plan/rollout.ts';
import { findUnfinished } from '../plan/unfinished.ts';
import { isOpen, knownRollouts, type Rollout } from '../published/feed/rollouts.ts';
import { checkMarkdown } from '../report/check.ts';
import type { WatchRow } from '../report/report.ts';
import { unfinishedInWords } from '../report/unfinished.ts';
import { findNewest } from '../sources/find-source.ts';
import type { Tool } from '../tool-file/tools.ts';
import type { ReleaseFlags } from './flags.ts';
import { chooseSources, type SourceOptions } from './plan/beta-decision.ts';
import { readRequests } from './run/request.ts';
import { attempt, beginRun, endRun, type Run, settled } from './run/run-each.ts';
import { verb } from './run/run-verb.ts';
import type { OpenVerbToolkit, VerbToolkit } from './run/toolkit.ts';
import { withFeed } from './run/with-feed.ts';

/**
 * What on main became outdated or vulnerable. Reads only. An unreachable source is a failure of its tool; the rest is still
 * reported.
 * @throws ReleaseError FEED_UNREACHABLE, BUCKET_UNREACHABLE, SETTINGS_INVALID, INTERRUPTED
 */
export async function check(toolkit: VerbToolkit, tools: readonly Tool[], options: SourceOptions) {
  const run = beginRun(toolkit);
  const rows = await withFeed(toolkit, async (found) => {
    const toolkit = await withKnownDate(found, run);
    return settled(tools, Number.POSITIVE_INFINITY, (tool) => checkOne(tool, options, toolkit, run));
  });
  return { rows, failures: run.failures };
}

/** Reports how old the database is. A database that does not answer is one failure, not one for each tool. */
async function withKnownDate(toolkit: OpenVerbToolkit, run: Run): Promise<OpenVerbToolkit> {
  const { scanner } = toolkit;
  if (scanner === undefined) {
    toolkit.report.warn('', 'VULN_DB is not set: known vulnerabilities are not checked');
    return toolkit;
  }
  const modified = await attempt(run, 'VULN_DB', () => scanner.modified());
  if (modified === undefined) return { ...toolkit, scanner: undefined };
  toolkit.report.step('', 'known', `vulnerabilities as of ${modified.toISOString().slice(0, 10)}`);
  return toolkit;
}

async function checkOne(
  tool: Tool,
  options: SourceOptions,
  toolkit: OpenVerbToolkit,
  run: Run,
): Promise<WatchRow> {
  const offered = await attempt(run, tool.tool, () => toolkit.bucket.offers(tool.tool));
  const main = offered?.main;
  const common = { tool: tool.tool, main, beta: offered?.beta };
  if (main === undefined) {
    const nothing = { upstream: undefined, isOutdated: false, vulnerabilities: undefined };
    return { ...common, ...nothing, unknown: [], gaps: [], next: [] };
  }
  const newest = await attempt(run, tool.tool, () =>
    findNewest(tool, chooseSources(tool, options.sources, options, toolkit)),
  );
  // a correction of U counts as U, whatever bytes a withdrawal put into it
  const inUse = readReleaseVersion(main)?.upstream ?? main;
  const isOutdated = newest !== undefined && compareScoopVersions(newest.version, inUse) > 0;
  const scan = await attempt(run, tool.tool, () => scanOffered(tool, toolkit));
  const vulnerabilities = scan && toolkit.scanner?.judge(scan, tool.tool);
  const gaps = (scan && toolkit.scanner?.judgeGaps(scan, tool.tool)) ?? [];
  return {
    ...common,
    upstream: newest?.version,
    isOutdated,
    vulnerabilities,
    unknown: scan?.unknown ?? [],
    gaps,
    next: [
      ...(await withdrawnOnes(tool, common, toolkit)),
      ...whatToDo(
        { ...common, rollouts: await knownRollouts(toolkit, tool.tool) },
        isOutdated ? newest?.version : undefined,
        vulnerabilities ?? [],
        gaps,
      ),
    ],
  };
}

/**
 * Withdrawn versions that main or beta still offers: Scoop installs them.
 * @throws ReleaseError FEED_*
 */
async function withdrawnOnes(
  tool: Tool,
  { main, beta }: Pick<WatchRow, 'main' | 'beta'>,
  { published }: OpenVerbToolkit,
): Promise<readonly string[]> {
  const packages = await published.versions(tool);
  const isOffered = packages.some(({ version, isListed }) => !isListed && [main, beta].includes(version));
  const unfinished = isOffered ? findUnfinished({ packages, main, beta }) : [];
  return unfinished.map((one) => `${unfinishedInWords(tool.tool, one)}.`);
}

function whatToDo(
  { tool, beta, rollouts }: Pick<WatchRow, 'tool' | 'beta'> & { readonly rollouts: readonly Rollout[] },
  newer: string | undefined,
  vulnerabilities: readonly Judged[],
  gaps: readonly Judged[],
): readonly string[] {
  const ids = new Set(vulnerabilities.filter(({ verdict }) => verdict === 'refused').map(({ id }) => id));
  const unseen = gaps.filter(({ verdict }) => verdict === 'refused');
  const next: string[] = [];
  const rollout = rollouts
    .filter(isOpen)
    .find(({ version }) => readReleaseVersion(version)?.upstream === newer);
  const hasBeta = readReleaseVersion(beta ?? '')?.upstream === newer;
  if (newer !== undefined && rollout !== undefined)
    next.push(
      `${newer} is rolling out (${rollout.state}): \`release:rollout status ${tool}\` shows how far it is.`,
    );
  else if (newer !== undefined && hasBeta && takenBackBy(beta, rollouts) !== undefined)
    next.push(
      `${newer} was taken back (\`release:rollout status ${tool}\`): wait for the next version of upstream, or run \`release:beta ${tool}@${newer} --correct\` where our package was the fault.`,
    );
  else if (newer !== undefined && hasBeta)
    next.push(`${newer} is on beta: run \`release:promote ${tool}\` once it is tested.`);
  else if (newer !== undefined) next.push(`${newer} is available: run \`release:beta ${tool}\`.`);
  if (ids.size > 0) {
    const many = ids.size === 1 ? '1 known vulnerability has' : `${ids.size} known vulnerabilities have`;
    const wait =
      newer === undefined
        ? 'There is no newer version that may be released yet: rebuild with a newer toolchain, '
        : 'Update, ';
    next.push(`${many} to be fixed. ${wait}or allow them in POLICY_FILE with a reason.`);
  }
  if (unseen.length > 0)
    next.push(
      `The policy refuses exes that could not be scanned. ${remedyOf(unseen)}, or allow it in POLICY_FILE with a reason.`,
    );
  return next;
}

type CheckFlags = ReleaseFlags & { readonly markdown?: boolean };

export const createCommand = verb<CheckFlags>({
  name: 'release:check',
  description: 'Reports what on main is outdated or vulnerable. Exit 5: there is something to do.',
  argument: new Argument('[tool...]', 'no tool: all tools'),
  options: [new Option('--markdown', 'a page for an issue or a chat, on stdout').conflicts('json')],
  flags: ['source', 'maxWait', 'json', 'quiet'],
  examples: [
    'release:check                                  all tools',
    'release:check --markdown > check.md            for an issue',
    '--silent release:check --json | jq .           for machines',
  ],
  async run({ args, flags, tools, broken, invocation }, toolkit) {
    const asked = new Set(readRequests(args, tools).map(({ tool }) => tool));
    const { rows, failures } = await check(toolkit, [...asked], { sources: flags.source });
    if (flags.markdown) invocation.stdout.write(checkMarkdown(rows));
    else toolkit.report.watch(rows);
    const found = rows.filter(({ next }) => next.length > 0).map(({ tool }) => tool);
    // what could not be checked comes first: the rest may be incomplete
    endRun({ outcomes: [], failures }, broken);
    // a person is needed (contract section 1)
    if (found.length > 0) throw new Ended(`Something to do: ${found.join(', ')}.`, 5);
  },
});
