import { Argument } from 'commander';
import { fail } from '../../errors/release-error.ts';
import type { SourceKind } from '../../formats/release-record.ts';
import { channelOf } from '../plan/withdrawal.ts';
import { arePayloadsKept, keepFiles, keepPayloads } from '../publish/keep-files.ts';
import { withdrawalNote } from '../published/bucket/withdrawal-note.ts';
import { unlistPackage } from '../published/feed/client.ts';
import { inWords, sameExesInWords } from '../report/reasons.ts';
import type { Outcome } from '../report/report.ts';
import { packageIdOf } from '../tool-file/tools.ts';
import type { OpenToolkit } from '../toolkit.ts';
import { buildCorrection, type Correction, publishCorrection } from './correction.ts';
import { planWithdrawalOf, type WithdrawalPlan } from './plan/withdrawal.ts';
import { recoveryLines } from './recovery.ts';
import { renewCorrections } from './rollout/held-correction.ts';
import { readRequests } from './run/request.ts';
import { type Phases, runPhases } from './run/run.ts';
import { endRun } from './run/run-each.ts';
import { verb } from './run/run-verb.ts';
import { withFeed } from './run/with-feed.ts';

type WithdrawOptions = {
  readonly reason: string;
  /** The good version; undefined is the newest one before the bad one. */
  readonly to?: string | undefined;
  /** `--source`: where a good version that the feed does not have is taken from. */
  readonly sources?: readonly SourceKind[] | undefined;
  readonly dryRun?: boolean;
  readonly outDir?: string | undefined;
};

/**
 * Withdraws a published version: unlists it, and publishes the last good bytes as a correction, for both managers. Run again
 * after an interruption, it goes on where it stopped.
 */
const phases: Phases<WithdrawalPlan, Correction | undefined, WithdrawOptions> = {
  plan: planWithdrawalOf,
  scopes: ({ bad }) => ['unlist', channelOf(bad.version) === 'beta' ? 'push:beta' : 'push'],
  build,
  publish,
};

/** Everything local first: a failure there stops the withdrawal before anything changes. */
async function build(
  planned: WithdrawalPlan,
  { outDir }: WithdrawOptions,
  toolkit: OpenToolkit,
): Promise<Correction | undefined> {
  const { plan, good } = planned;
  if (plan.kind !== 'correct' || good === undefined) return undefined;
  const correction = await buildCorrection(planned, good, plan, toolkit);
  const { firstBeta } = correction;
  const last = correction.stable ?? firstBeta;
  if (outDir === undefined || last === undefined) return correction;
  const { endpoints } = toolkit;
  await keepFiles(outDir, last, endpoints);
  // somebody else must upload the files of both to where Scoop downloads
  if (firstBeta !== undefined && arePayloadsKept(endpoints)) await keepPayloads(outDir, firstBeta);
  return correction;
}

async function publish(
  planned: WithdrawalPlan,
  correction: Correction | undefined,
  options: WithdrawOptions,
  toolkit: OpenToolkit,
): Promise<Outcome> {
  const { tool, bad, plan, row, good } = planned;
  const { report } = toolkit;
  for (const version of planned.sameExes) report.warn(tool.tool, sameExesInWords(version, bad.version));
  const common = { tool: tool.tool, version: bad.version };
  if (options.dryRun && plan.kind === 'no-replacement' && row.from === bad.version) {
    const is = 'would be unlisted (nothing was changed: --dry-run)';
    fail('NOTHING_GOOD', { ...common, is, recovery: '' });
  }
  if (options.dryRun)
    return { ...common, kind: 'made', detail: `${inWords(row.why)}; nothing was changed (--dry-run)` };

  if (bad.isListed) {
    report.step(tool.tool, 'unlist', bad.version);
    const id = packageIdOf(tool);
    await unlistPackage(toolkit.feed, id, bad.version, options.reason);
    toolkit.done.push(`${id} ${bad.version} is unlisted`);
  }
  const fixed = plan.kind === 'overtaken' ? plan.offered : plan.kind === 'correct' ? row.to : undefined;
  const recovery = recoveryLines(tool, bad.version, fixed);
  if (plan.kind === 'correct' && good !== undefined && correction !== undefined) {
    const reason = withdrawalNote(bad.version, options.reason, good.version);
    const onTop = (await publishCorrection(correction, reason, toolkit)) ?? row.to;
    await renewAfter(planned, toolkit);
    const detail = `${onTop} has the bytes of ${good.version}`;
    return { ...common, kind: 'withdrawn', detail, recovery: recoveryLines(tool, bad.version, onTop) };
  }
  if (plan.kind === 'no-replacement' && row.from === bad.version) {
    // after the correction for everybody
    const lines = recovery.map((line) => `\n  ${line}`).join('');
    fail('NOTHING_GOOD', { ...common, is: 'is unlisted', recovery: lines });
  }
  // an earlier run may have put the correction on main, and have gone no further
  await renewAfter(planned, toolkit);
  const kind = row.does === 'nothing' ? 'nothing' : 'withdrawn';
  return { ...common, kind, detail: inWords(row.why), recovery };
}

/** A beta is not what a rollback gives, and the key of its withdrawal may upload nothing else. */
async function renewAfter({ tool, bad }: WithdrawalPlan, toolkit: OpenToolkit): Promise<void> {
  if (channelOf(bad.version) === 'main') await renewCorrections(tool, toolkit);
}

export const createCommand = verb({
  name: 'release:withdraw',
  description:
    'Withdraws a published version: unlists it, and publishes the bytes of the last good version as a correction, for choco and Scoop. Prints what a machine with the bad version has to run.',
  argument: new Argument('<tool@version>', 'version: 1.22.0, or 1.22.0-beta.2'),
  flags: ['reason', 'to', 'source', 'from', 'dryRun', 'out', 'json', 'quiet'],
  examples: [
    "release:withdraw delve@1.22.0 --reason 'crashes on start'",
    "release:withdraw delve@1.22.0 --reason 'malicious build' --to 1.20.1",
    "release:withdraw delve@1.22.0 --reason 'crashes on start' --to 1.20.1 --from tools.bundle",
    "release:withdraw delve@1.22.0 --reason 'what would happen' --dry-run",
  ],
  check({ args, flags, tools }) {
    const requests = readRequests(args, tools);
    if (flags.reason === undefined)
      fail('USAGE', { problem: '--reason TEXT is missing: why it is withdrawn.' });
    if (requests.some(({ version }) => version === undefined))
      fail('USAGE', { problem: `${args} names no version: TOOL@VERSION, such as delve@1.22.0.` });
  },
  async run({ args, flags, tools, outDir }, toolkit) {
    const requests = readRequests(args, tools);
    const { reason = '', source: sources } = flags;
    const options = { ...flags, reason, sources, outDir };
    endRun(await withFeed(toolkit, (opened) => runPhases(opened, requests, options, phases)));
  },
});
