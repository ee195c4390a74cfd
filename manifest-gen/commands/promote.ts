import { Command } from 'commander';
import { fail } from '../errors.ts';
import type { Packed } from '../release.ts';
import type { Outcome } from '../report/report.ts';
import type { Invocation, World } from '../world.ts';
import type { Context } from './context.ts';
import { addFlags, type ReleaseFlags } from './flags.ts';
import { openOutDir } from './keep-files.ts';
import { makeStable, prepareStable } from './make-stable.ts';
import { type Request, readRequests } from './request.ts';
import { type PlannedPromotion, resolvePromotion } from './resolve-promotion.ts';
import { endRun, type RunResult } from './run-each.ts';
import { runPlan } from './run-plan.ts';
import { runVerb } from './run-verb.ts';

export type PromoteOptions = {
  readonly dryRun?: boolean;
  readonly outDir?: string | undefined;
  /** Why a beta that is younger than the tool's `minAge` cannot wait; undefined when it has to. */
  readonly hurry?: string | undefined;
};

/**
 * Makes betas stable: all tools are repacked at once, and published one after the other. What fails for one tool is in the result; the others are done.
 * @throws ReleaseError INTERRUPTED, FEED_UNREACHABLE, BUCKET_UNREACHABLE, FEED_KEY_*: then nothing is done at all
 */
export function promote(
  world: World,
  requests: readonly Request[],
  options: PromoteOptions,
): Promise<RunResult> {
  return runPlan(world, requests, {
    resolve: (request, context) => resolvePromotion(request, options.hurry, context),
    prepare: (planned, context) => prepare(planned, options, context),
    act: (planned, packed, context) => act(planned, packed, options, context),
    scopes: ['push'],
    isDryRun: options.dryRun === true,
  });
}

const details = {
  made: () => 'nothing was published (--dry-run)',
  finished: () => 'the package was on the feed already, main and beta now offer it',
  published: (why: string) => `on the feed and on branches main and beta, ${why}`,
} as const;

/** Undefined where nothing is to be made. @throws ReleaseError VULNERABLE, OTHER_BYTES, FEED_* */
async function prepare(
  { tool, row, ready, look }: PlannedPromotion,
  options: PromoteOptions,
  context: Context,
): Promise<Packed | undefined> {
  if (ready === undefined) return undefined;
  // what was fine when the beta was made may have become known since
  if (look !== undefined) context.watch?.require(look, tool.tool, row.to);
  return prepareStable(ready, options, context);
}

async function act(
  { tool, row, ready }: PlannedPromotion,
  packed: Packed | undefined,
  options: PromoteOptions,
  context: Context,
): Promise<Outcome> {
  const common = { tool: tool.tool, version: row.to };
  if (ready === undefined) return { ...common, kind: 'nothing', detail: row.why };
  const how = await makeStable(ready, packed, options, context);
  return { ...common, kind: how === 'made' ? 'made' : 'promoted', detail: details[how](row.why) };
}

export function createCommand(invocation: Invocation): Command {
  const command = new Command('release:promote')
    .description(
      "The newest beta, or the named one, becomes stable: same exes, on the feed and on branches main and beta. One that is younger than the tool file's minAge has to wait.",
    )
    .argument('<tool[@version]...>', 'version: 1.22.0 or 1.22.0-beta.2; none: the newest beta');
  addFlags(command, ['now', 'reason', 'dryRun', 'out', 'json', 'quiet'], examples, invocation);
  return command.action((args: readonly string[], flags: ReleaseFlags) =>
    runVerb(invocation, flags, args, async (world, tools, broken) => {
      const hurry = readHurry(flags);
      const outDir = await openOutDir(invocation.cwd, flags.out);
      endRun(await promote(world, readRequests(args, tools), { ...flags, hurry, outDir }), broken);
    }),
  );
}

/** Whoever does not wait says why; it stands in the commit and in the audit log. */
function readHurry({ now, reason }: ReleaseFlags): string | undefined {
  if (now === true && reason === undefined)
    fail('USAGE', { problem: '--now needs --reason TEXT: why it cannot wait.' });
  if (now !== true && reason !== undefined)
    fail('USAGE', { problem: '--reason says why a beta cannot wait: give --now too.' });
  return reason;
}

const examples = [
  'release:promote delve                         its newest beta',
  'release:promote delve@1.22.0 buf@1.32.0       the newest beta of these',
  'release:promote delve@1.22.0-beta.1           exactly this beta',
  "release:promote delve --now --reason 'fixes CVE-2026-1234'",
];
