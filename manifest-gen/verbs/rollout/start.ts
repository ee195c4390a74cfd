import { resolve } from 'node:path';
import { Argument, Option } from 'commander';
import { fail, ReleaseError } from '../../../errors/release-error.ts';
import type { Artifacts } from '../../build/artifacts.ts';
import { holdRelease } from '../../publish/hold-release.ts';
import { keepFiles } from '../../publish/keep-files.ts';
import { startRollout } from '../../published/feed/rollouts.ts';
import { inWords } from '../../report/reasons.ts';
import type { Outcome } from '../../report/report.ts';
import { readPlanFile } from '../../tool-file/rollout-plan.ts';
import type { Tool } from '../../tool-file/tools.ts';
import type { OpenToolkit } from '../../toolkit.ts';
import type { ReleaseFlags } from '../flags.ts';
import type { Skipped } from '../plan/promotion.ts';
import { planRolloutOf, type RolloutPlan, refuseForeign, startScopes } from '../plan/rollout.ts';
import { buildPromotion, requireReason, skippedBy } from '../promote.ts';
import { type Request, readRequests } from '../run/request.ts';
import { type Phases, runPhases } from '../run/run.ts';
import { endRun } from '../run/run-each.ts';
import { verb } from '../run/run-verb.ts';
import type { OpenVerbToolkit } from '../run/toolkit.ts';
import { withFeed } from '../run/with-feed.ts';
import { tooFewMachines } from './few-machines.ts';
import {
  buildHeldCorrection,
  type HeldCorrection,
  holdCorrection,
  renewCorrections,
} from './held-correction.ts';

type StartOptions = Skipped & {
  /** As it is written. */
  readonly plan: unknown;
  readonly reason?: string | undefined;
  readonly dryRun?: boolean;
  readonly outDir?: string | undefined;
};

/** All that a rollout needs: the version, and what takes it back. */
type Held = { readonly packed: Artifacts; readonly correction: HeldCorrection | undefined };

/**
 * Makes the version as a promotion does, uploads it held with its correction, and begins. Run again after an interruption, it goes
 * on where it stopped: what is uploaded is not sent again.
 */
const phases: Phases<RolloutPlan, Held | undefined, StartOptions> = {
  plan: planRolloutOf,
  scopes: () => startScopes,
  build,
  publish,
};

/** Undefined where it is open already. */
async function build(
  plan: RolloutPlan,
  options: StartOptions,
  toolkit: OpenToolkit,
): Promise<Held | undefined> {
  if (plan.open !== undefined) return undefined;
  const packed = await buildPromotion(plan, { ...options, outDir: undefined }, toolkit);
  if (packed === undefined) return undefined;
  const planned = plan.correction;
  const correction = planned && (await buildHeldCorrection(plan.tool, planned, toolkit));
  const { outDir } = options;
  // the manifest that stays is the version's own
  const all = [...(correction === undefined ? [] : [correction.firstBeta, correction.stable]), packed];
  for (const one of outDir === undefined ? [] : all) await keepFiles(outDir ?? '', one, toolkit.endpoints);
  return { packed, correction };
}

async function publish(
  { tool, row, ready, open }: RolloutPlan,
  held: Held | undefined,
  { plan, reason, dryRun }: StartOptions,
  toolkit: OpenVerbToolkit,
): Promise<Outcome> {
  const about = { tool: tool.tool, version: row.to };
  if (open !== undefined) toolkit.report.rollouts([open]);
  // the one before it was completed meanwhile, the first of all
  if (open?.waitsFor === 'correction' && !dryRun) {
    await requireOnMain(tool, toolkit);
    await renewCorrections(tool, toolkit);
  }
  if (held === undefined) return { ...about, kind: 'nothing', detail: inWords(row.why) };
  if (dryRun)
    return { ...about, kind: 'made', detail: `${inWords(row.why)}; nothing was uploaded (--dry-run)` };
  await holdRelease({ ...held.packed, reason: ready?.reason }, toolkit);
  if (held.correction !== undefined) await holdCorrection(row.to, held.correction, toolkit);
  const rollout = await startRollout(toolkit.feed, { ...about, plan, reason });
  toolkit.report.rollouts([rollout]);
  const few = tooFewMachines(plan, rollout.counts.known);
  if (few !== undefined) toolkit.report.warn(tool.tool, few);
  return { ...about, kind: 'started', detail: `${rollout.state}, ${inWords(row.why)}` };
}

/**
 * The server waits for a correction of what the feed offers, which is made of what branch main has.
 * @throws ReleaseError ROLLOUT_UNSUITED
 */
async function requireOnMain({ tool }: Tool, { bucket }: OpenVerbToolkit): Promise<void> {
  if ((await bucket.version('main', tool)) !== undefined) return;
  fail('ROLLOUT_UNSUITED', {
    what: `A correction for the rollout of ${tool}`,
    reason: `the feed offers a stable version of ${tool}, and branch main of the bucket has none`,
    hint: `\`release:status ${tool}\` shows which version that is; \`release:promote\` finishes it. Then run this again.`,
  });
}

type StartFlags = ReleaseFlags & { readonly plan?: string };

export const startCommand = verb<StartFlags>({
  name: 'start',
  description:
    'Makes the newest beta, or the named one, stable for some machines first, as the plan says. It repeats the evidence as release:promote does, and uploads the version with the last good bytes as its correction, so that a rollback needs neither a build nor a network.',
  argument: new Argument('<tool[@version]>', 'version: 1.22.0 or 1.22.0-beta.2; none: the newest beta'),
  options: [new Option('--plan <file>', "the plan (YAML); default: `rollout:` in the tool's file")],
  flags: ['from', 'skipVerify', 'now', 'reason', 'dryRun', 'out', 'json', 'quiet'],
  examples: [
    "release:rollout start delve                    its newest beta, by the plan in the tool's file",
    'release:rollout start delve@1.22.0 --plan plan.yaml',
    'release:rollout start delve --dry-run --out ./made',
  ],
  check: ({ flags }) => requireReason(flags),
  async run({ args, flags, tools, outDir, invocation: { cwd } }, toolkit) {
    const { reason, dryRun = false } = flags;
    const options = { ...skippedBy(flags), reason, dryRun, outDir };
    const file = flags.plan === undefined ? undefined : resolve(cwd, flags.plan);
    const given = file === undefined ? undefined : await readPlanFile(file);
    const result = await withFeed(toolkit, async (toolkit) => {
      const request = await readRequest(args, tools, toolkit);
      const plan = given ?? request.tool.rollout ?? refuseWithoutPlan(request);
      return runPhases(toolkit, [request], { ...options, plan }, phases);
    });
    endRun(result);
  },
});

function refuseWithoutPlan({ tool: { tool } }: Request): never {
  return fail('USAGE', {
    problem: `${tool} has no plan: give --plan FILE, or write \`rollout:\` into its file.`,
  });
}

/** A package of that name which no tool makes is no typing error. @throws ReleaseError USAGE, TOOL_UNKNOWN, ROLLOUT_UNSUITED */
async function readRequest(
  args: readonly string[],
  tools: Parameters<typeof readRequests>[1],
  { published }: OpenToolkit,
): Promise<Request> {
  try {
    const [request] = readRequests(args, tools);
    if (request !== undefined) return request;
  } catch (error) {
    const isUnknown =
      error instanceof ReleaseError && ['TOOL_UNKNOWN', 'TOOL_MADE_HERE'].includes(error.code);
    const tool = isUnknown ? String(error.details.tool) : '';
    if (!isUnknown || (await published.versions({ tool })).length === 0) throw error;
    refuseForeign({ tool }, 'the feed has it, but no tool of the generator makes it', error);
  }
  return fail('USAGE', { problem: 'The tool is missing.' });
}
