import { Command } from 'commander';
import type { SourceKind } from '../../formats/release-record.ts';
import type { Invocation } from '../../invocation.ts';
import { fail } from '../errors.ts';
import { channelOf } from '../plan/withdrawal.ts';
import { withdrawalNote } from '../plan/withdrawal-note.ts';
import { keepPayloads, openOutDir } from '../publish/keep-files.ts';
import { keepPacked } from '../publish/make-stable.ts';
import { type Correcting, makeCorrection, putOnTop } from '../publish/put-on-top.ts';
import { payloadsToKeep } from '../publish/require-payloads.ts';
import { unlistPackage } from '../published/feed/client.ts';
import type { Outcome } from '../report/report.ts';
import type { OpenToolkit } from '../toolkit.ts';
import { addFlags, type ReleaseFlags } from './flags.ts';
import { recoveryLines } from './recovery.ts';
import { type PlannedWithdrawal, resolveWithdrawal } from './resolve/withdrawal.ts';
import { withSources } from './run/from-bundle.ts';
import { type Request, readRequests } from './run/request.ts';
import { endRun, type RunResult } from './run/run-each.ts';
import { runPlan } from './run/run-plan.ts';
import { runVerb } from './run/run-verb.ts';
import type { VerbToolkit } from './run/toolkit.ts';

export type WithdrawOptions = {
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
 * @throws ReleaseError INTERRUPTED, FEED_UNREACHABLE, BUCKET_UNREACHABLE, FEED_KEY_*: then nothing more is done
 */
export function withdraw(
  toolkit: VerbToolkit,
  requests: readonly Request[],
  options: WithdrawOptions,
): Promise<RunResult> {
  return runPlan(toolkit, requests, {
    resolve: (request, toolkit) => resolveWithdrawal(request, options, toolkit),
    prepare: (planned, toolkit) => prepare(planned, options, toolkit),
    act: (planned, made, toolkit) => act(planned, made, options, toolkit),
    scopes: requests.every(({ version = '' }) => channelOf(version) === 'beta')
      ? ['unlist', 'push:beta']
      : ['unlist', 'push'],
    isDryRun: options.dryRun === true,
  });
}

async function act(
  planned: PlannedWithdrawal,
  made: Correcting | undefined,
  options: WithdrawOptions,
  toolkit: OpenToolkit,
): Promise<Outcome> {
  const { tool, bad, plan, row, good } = planned;
  const { report } = toolkit;
  for (const sentence of planned.warnings) report.warn(tool.tool, sentence);
  const common = { tool: tool.tool, version: bad.version };
  if (options.dryRun && plan.kind === 'stranded' && row.from === bad.version) {
    const is = 'would be unlisted (nothing was changed: --dry-run)';
    fail('NOTHING_GOOD', { ...common, is, recovery: '' });
  }
  if (options.dryRun)
    return { ...common, kind: 'made', detail: `${row.why}; nothing was changed (--dry-run)` };

  if (bad.isListed) {
    report.step(tool.tool, 'unlist', bad.version);
    const id = tool.packageId ?? tool.tool;
    await unlistPackage(toolkit.feed, id, bad.version, options.reason);
    toolkit.done.push(`${id} ${bad.version} is unlisted`);
  }
  const fixed = plan.kind === 'overtaken' ? plan.offered : plan.kind === 'correct' ? row.to : undefined;
  const recoveryTo = (version: string | undefined): readonly string[] =>
    recoveryLines({
      tool: tool.tool,
      packageId: tool.packageId ?? tool.tool,
      bad: bad.version,
      fixed: version,
      isBeta: channelOf(bad.version) === 'beta',
    });
  const recovery = recoveryTo(fixed);
  if (plan.kind === 'correct' && good !== undefined && made !== undefined) {
    const reason = withdrawalNote(bad.version, options.reason, good.version);
    const onTop = (await putOnTop(made, reason, toolkit)) ?? row.to;
    const detail = `${onTop} has the bytes of ${good.version}`;
    return { ...common, kind: 'withdrawn', detail, recovery: recoveryTo(onTop) };
  }
  if (plan.kind === 'stranded' && row.from === bad.version) {
    // after the correction for everybody
    const lines = recovery.map((line) => `\n  ${line}`).join('');
    fail('NOTHING_GOOD', { ...common, is: 'is unlisted', recovery: lines });
  }
  const kind = row.does === 'nothing' ? 'nothing' : 'withdrawn';
  return { ...common, kind, detail: row.why, recovery };
}

/** Everything local first: a failure there stops the withdrawal before anything changes. */
async function prepare(
  planned: PlannedWithdrawal,
  { outDir }: WithdrawOptions,
  toolkit: OpenToolkit,
): Promise<Correcting | undefined> {
  const { plan, good } = planned;
  if (plan.kind !== 'correct' || good === undefined) return undefined;
  const made = await makeCorrection(planned, good, plan, toolkit);
  const last = made.stable ?? made.firstBeta;
  if (outDir === undefined || last === undefined) return made;
  await keepPacked(outDir, last, toolkit);
  // somebody else must upload the files of both to where Scoop downloads
  if (made.firstBeta !== undefined) {
    const payloads = await payloadsToKeep(made.firstBeta.rendered, toolkit.endpoints);
    await keepPayloads(outDir, { tool: planned.tool.tool, version: plan.firstBeta, payloads });
  }
  return made;
}

export function createCommand(invocation: Invocation): Command {
  const command = new Command('release:withdraw')
    .description(
      'Withdraws a published version: unlists it, and publishes the bytes of the last good version as a correction, for choco and Scoop. Prints what a machine with the bad version has to run.',
    )
    .argument('<tool@version>', 'version: 1.22.0, or 1.22.0-beta.2');
  const flagNames = ['reason', 'to', 'source', 'from', 'dryRun', 'out', 'json', 'quiet'] as const;
  addFlags(command, flagNames, examples, invocation);
  return command.action((arg: string, flags: ReleaseFlags) =>
    runVerb(invocation, flags, [arg], async (toolkit, tools) => {
      const requests = readRequests([arg], tools);
      const { reason } = flags;
      if (reason === undefined)
        return fail('USAGE', { problem: '--reason TEXT is missing: why it is withdrawn.' });
      if (requests.some(({ version }) => version === undefined)) {
        return fail('USAGE', { problem: `${arg} names no version: TOOL@VERSION, such as delve@1.22.0.` });
      }
      const outDir = await openOutDir(invocation.cwd, flags.out);
      const options = { ...flags, reason, sources: flags.source, outDir };
      await withSources(toolkit, { cwd: invocation.cwd, from: flags.from }, async (place) =>
        endRun(await withdraw(place, requests, options)),
      );
    }),
  );
}

const examples = [
  "release:withdraw delve@1.22.0 --reason 'crashes on start'",
  "release:withdraw delve@1.22.0 --reason 'malicious build' --to 1.20.1",
  "release:withdraw delve@1.22.0 --reason 'crashes on start' --to 1.20.1 --from tools.bundle",
  "release:withdraw delve@1.22.0 --reason 'what would happen' --dry-run",
];
