import { join } from 'node:path';
import { Argument, Option } from 'commander';
import { fail } from '../../errors/release-error.ts';
import { withTempDir } from '../../formats/scoped.ts';
import type { Channel } from '../published/bucket/repository.ts';
import { createPublished } from '../published/published.ts';
import type { Outcome } from '../report/report.ts';
import type { Check } from '../reverify/check.ts';
import { repeatEvidence } from '../reverify/reverify.ts';
import type { ReleaseFlags } from './flags.ts';
import { type Request, readRequests } from './run/request.ts';
import { attempt, beginRun, endRun, type RunResult } from './run/run-each.ts';
import { verb } from './run/run-verb.ts';
import type { OpenVerbToolkit, VerbToolkit } from './run/toolkit.ts';
import { withFeed } from './run/with-feed.ts';

export type VerifyOptions = {
  readonly channel: Channel;
  readonly rebuild?: boolean;
  /** All tools were meant, so one that the channel does not offer is not a failure. */
  readonly isEvery?: boolean;
};

/**
 * Repeats the evidence for what a branch offers, one tool after the other; changes nothing. Each tool that fails is a failure of
 * the result: EVIDENCE_BROKEN, or NOT_REPEATED when all that could be compared was right.
 * @throws ReleaseError INTERRUPTED, FEED_UNREACHABLE, BUCKET_UNREACHABLE
 */
export async function verifyOffers(
  toolkit: VerbToolkit,
  requests: readonly Request[],
  options: VerifyOptions,
): Promise<RunResult> {
  return withFeed(toolkit, async (toolkit) => {
    const run = beginRun(toolkit, toolkit.done);
    const outcomes: Outcome[] = [];
    for (const request of requests) {
      const outcome = await attempt(run, request.tool.tool, () => verifyOne(request, options, toolkit));
      if (outcome === undefined) continue;
      toolkit.report.outcome(outcome);
      outcomes.push(outcome);
    }
    return { outcomes, failures: run.failures };
  });
}

async function verifyOne(
  { tool, version }: Request,
  { channel, rebuild: isRebuilt = false, isEvery = false }: VerifyOptions,
  toolkit: OpenVerbToolkit,
): Promise<Outcome> {
  const { bucket } = toolkit;
  if (isEvery && (await bucket.manifest(channel, tool.tool)) === undefined) {
    return { tool: tool.tool, version: '-', kind: 'nothing', detail: `branch ${channel} does not offer it` };
  }
  toolkit.report.step(tool.tool, 'verify', `${version ?? 'what is offered'} on branch ${channel}`);
  return withTempDir(join(toolkit.workDir, 'verify-'), async (workDir) => {
    // from the feed of now, and gone with its folder: a tool after the other
    const place = { ...toolkit, workDir, published: createPublished({ ...toolkit, workDir }) };
    const { checks, withdrawn, ...repeated } = await repeatEvidence(
      { tool, version, channel, isRebuilt },
      place,
    );
    const about = { tool: tool.tool, version: repeated.version };
    toolkit.report.checks(checks.map((check) => ({ ...about, ...check })));
    const note =
      withdrawn && `it was withdrawn${withdrawn.reason === undefined ? '' : `: ${withdrawn.reason}`}`;
    if (note !== undefined) toolkit.report.warn(tool.tool, `${about.version}: ${note}`);
    judge(about, checks);
    const passed = checks.filter(({ verdict }) => verdict === 'passed').length;
    const rest = checks.length - passed;
    const counted = `${passed} checks passed${rest === 0 ? '' : `, ${rest} skipped`}`;
    const detail = note === undefined ? counted : `${counted}; ${note}`;
    return { ...about, kind: 'verified', detail, ...(withdrawn && { withdrawn }) };
  });
}

/**
 * @throws ReleaseError EVIDENCE_BROKEN for the first that failed, otherwise NOT_REPEATED for the first that could not be repeated
 */
function judge(about: { readonly tool: string; readonly version: string }, checks: readonly Check[]): void {
  const broken = checks.find(({ verdict }) => verdict === 'failed');
  if (broken !== undefined) {
    const { what, subject, expected = '', found = '' } = broken;
    fail('EVIDENCE_BROKEN', { ...about, what, subject, expected, found });
  }
  const missing = checks.filter(({ verdict }) => verdict === 'unreachable');
  const [first] = missing;
  if (first === undefined) return;
  const { what, subject, detail: cause } = first;
  const count = missing.length === 1 ? '1 check' : `${missing.length} checks`;
  fail('NOT_REPEATED', { ...about, count, what, subject, cause });
}

type VerifyFlags = ReleaseFlags & { readonly channel: Channel; readonly rebuild?: boolean };

export const createCommand = verb<VerifyFlags>({
  name: 'release:verify',
  description:
    'Repeats all evidence for what a branch offers: manifest, package, payloads, record, upstream, other sources.',
  argument: new Argument(
    '[tool[@version]...]',
    'no tool: all tools on the channel; no version: the current one',
  ),
  options: [
    new Option('--channel <name>', 'the channel to verify').choices(['main', 'beta']).default('main'),
    new Option(
      '--rebuild',
      'build Go modules again and compare byte for byte: takes minutes, needs Go >= 1.21',
    ),
  ],
  flags: ['from', 'json', 'quiet'],
  examples: [
    'release:verify                                all tools of branch main',
    'release:verify delve --channel beta           what beta offers',
    'release:verify delve@1.22.0 --rebuild         built again, compared byte for byte',
    '--silent release:verify --json                for machines; exit 3: wrong, 4: not repeated',
  ],
  async run({ args, flags, tools, broken }, toolkit) {
    const options = { ...flags, isEvery: args.length === 0 };
    endRun(await verifyOffers(toolkit, readRequests(args, tools), options), broken);
  },
});
