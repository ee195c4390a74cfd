import { Command } from 'commander';
import type { Invocation } from '../../invocation.ts';
import { fail } from '../errors.ts';
import { openOutDir } from '../publish/keep-files.ts';
import { makeStable, prepareStable } from '../publish/make-stable.ts';
import type { Packed } from '../release.ts';
import type { Outcome } from '../report/report.ts';
import type { OpenToolkit } from '../toolkit.ts';
import { addFlags, type ReleaseFlags } from './flags.ts';
import { type PlannedPromotion, resolvePromotion } from './resolve/promotion.ts';
import { withSources } from './run/from-bundle.ts';
import { type Request, readRequests } from './run/request.ts';
import { endRun, type RunResult } from './run/run-each.ts';
import { runPlan } from './run/run-plan.ts';
import { runVerb } from './run/run-verb.ts';
import type { VerbToolkit } from './run/toolkit.ts';

export type PromoteOptions = {
  readonly dryRun?: boolean;
  readonly outDir?: string | undefined;
  /** Why a beta that is younger than the tool's `minAge` cannot wait; undefined when it has to. */
  readonly skipMinAge?: string | undefined;
  /** Why the evidence is not repeated; undefined when it is. */
  readonly skipVerify?: string | undefined;
  /** This run has just released the betas from their sources. */
  readonly isJustMade?: boolean;
};

/**
 * Makes betas stable: all tools are repacked at once, and published one after the other. A failure of one tool is in the result;
 * the others go on.
 * @throws ReleaseError INTERRUPTED, FEED_UNREACHABLE, BUCKET_UNREACHABLE, FEED_KEY_*: then nothing is done
 */
export function promote(
  toolkit: VerbToolkit,
  requests: readonly Request[],
  options: PromoteOptions,
): Promise<RunResult> {
  return runPlan(toolkit, requests, {
    resolve: (request, toolkit) => resolvePromotion(request, options, toolkit),
    prepare: (planned, toolkit) => prepare(planned, options, toolkit),
    act: (planned, packed, toolkit) => act(planned, packed, options, toolkit),
    scopes: ['push'],
    isDryRun: options.dryRun === true,
  });
}

const details = {
  made: () => 'nothing was published (--dry-run)',
  finish: () => 'the package was already on the feed, main and beta now offer it',
  promote: (why: string) => `on the feed and on branches main and beta, ${why}`,
} as const;

/**
 * Undefined where nothing is to be made. Before anything is published, all that is to be is proved, also in a dry run.
 * @throws ReleaseError VULNERABLE, PROMOTION_*, OTHER_BYTES, FEED_*
 */
async function prepare(
  { tool, row, ready, scan }: PlannedPromotion,
  options: PromoteOptions,
  toolkit: OpenToolkit,
): Promise<Packed | undefined> {
  if (ready === undefined) return undefined;
  // a vulnerability may have become known since the beta was made
  if (scan !== undefined) toolkit.scanner?.require(scan, tool.tool, row.to);
  return prepareStable(ready, { ...options, isOffline: options.skipVerify !== undefined }, toolkit);
}

async function act(
  { tool, row, ready }: PlannedPromotion,
  packed: Packed | undefined,
  options: PromoteOptions,
  toolkit: OpenToolkit,
): Promise<Outcome> {
  const common = { tool: tool.tool, version: row.to };
  if (ready === undefined || packed === undefined) return { ...common, kind: 'nothing', detail: row.why };
  const { skipVerify, dryRun } = options;
  const skipped = skipVerify === undefined ? '' : `; its evidence was not repeated: ${skipVerify}`;
  if (dryRun) return { ...common, kind: 'made', detail: `${details.made()}${skipped}` };
  const isPushed = ready.published !== undefined;
  await makeStable({ packed, reason: ready.reason, isPushed }, toolkit);
  const detail = isPushed ? details.finish() : details.promote(row.why);
  return { ...common, kind: 'promoted', detail: `${detail}${skipped}` };
}

export function createCommand(invocation: Invocation): Command {
  const command = new Command('release:promote')
    .description(
      "Makes the newest beta, or the named one, stable: the same exes, on the feed and on branches main and beta. It first repeats the evidence, as release:verify does, and compares the whole package with what the recipe makes. A beta younger than the tool file's minAge is refused.",
    )
    .argument('<tool[@version]...>', 'version: 1.22.0 or 1.22.0-beta.2; none: the newest beta');
  const flagNames = [...(['from', 'skipVerify', 'now', 'reason', 'dryRun', 'out', 'json', 'quiet'] as const)];
  addFlags(command, flagNames, examples, invocation);
  return command.action((args: readonly string[], flags: ReleaseFlags) =>
    runVerb(invocation, flags, args, async (toolkit, tools, broken) => {
      requireReason(flags);
      const { cwd } = invocation;
      const outDir = await openOutDir(cwd, flags.out);
      const options = {
        ...flags,
        skipMinAge: flags.now ? flags.reason : undefined,
        skipVerify: flags.skipVerify ? flags.reason : undefined,
        outDir,
      };
      await withSources(toolkit, { cwd, from: flags.from }, async (place) =>
        endRun(await promote(place, readRequests(args, tools), options), broken),
      );
    }),
  );
}

/**
 * Skipping the wait or the verification needs a reason, for the commit and the audit log.
 * @throws ReleaseError USAGE
 */
function requireReason({ now, skipVerify, reason, from }: ReleaseFlags): void {
  if (skipVerify && from !== undefined)
    fail('USAGE', {
      problem:
        '--from repeats the evidence from a bundle, --skip-verify does not repeat it: use one of them.',
    });
  if (now && reason === undefined)
    fail('USAGE', { problem: '--now needs --reason TEXT: why it cannot wait.' });
  if (skipVerify && reason === undefined)
    fail('USAGE', { problem: '--skip-verify needs --reason TEXT: why the evidence cannot be repeated.' });
  if (!now && !skipVerify && reason !== undefined)
    fail('USAGE', {
      problem:
        '--reason says why a beta cannot wait, or why it is not verified: give --now or --skip-verify too.',
    });
}

const examples = [
  'release:promote delve                         its newest beta',
  'release:promote delve@1.22.0 buf@1.32.0       the newest beta of these',
  'release:promote delve@1.22.0-beta.1           exactly this beta',
  "release:promote delve --now --reason 'fixes CVE-2026-1234'",
  'release:promote delve --from tools.bundle     without a network: the evidence comes from a signed bundle',
  "release:promote delve --skip-verify --reason 'the forge is down, checked by hand'",
];
