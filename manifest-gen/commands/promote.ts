import { Command } from 'commander';
import { printReleaseRecord } from '../../formats/release-record.ts';
import { repack } from '../promote/apply.ts';
import { publishManifest } from '../publish/bucket-branch.ts';
import type { Packed } from '../release.ts';
import { renderManifest } from '../render/scoop.ts';
import type { Outcome } from '../report.ts';
import type { Invocation, World } from '../world.ts';
import { begin } from './chain.ts';
import { type Context, requireKey, withContext } from './context.ts';
import { addFlags, type ReleaseFlags } from './flags.ts';
import { type KeptFiles, keepFiles, openOutDir } from './keep-files.ts';
import { type Request, readRequests } from './request.ts';
import { payloadsToKeep, requirePayloads } from './require-payloads.ts';
import { type Planned, type Ready, resolvePromotion } from './resolve-promotion.ts';
import { attempt, endRun, type Failure, type RunResult } from './run-each.ts';
import { runVerb } from './run-verb.ts';
import { payloads, push } from './steps.ts';

/** As for a beta: first on this machine, then the feed, git last. */
const recipe = {
  local: begin<Ready, Context>().step('repack', repackBeta), // same exes, another version
  outside: begin<{ readonly packed: Packed }, Context>()
    .step('payloads', payloads)
    .step('push', push)
    .step('commit', commitStable), // beta, main and the tag in one push
};

export type PromoteOptions = { readonly dryRun?: boolean; readonly outDir?: string | undefined };

/**
 * Makes betas stable, one tool after the other. What fails for one tool is in the result; the others are done.
 * @throws ReleaseError INTERRUPTED, FEED_UNREACHABLE, BUCKET_UNREACHABLE, FEED_KEY_MISSING: then nothing is done at all
 */
export async function promote(
  world: World,
  requests: readonly Request[],
  options: PromoteOptions,
): Promise<RunResult> {
  const failures: Failure[] = [];
  return withContext(world, async (context) => {
    const run = { ...world, failures, published: context.published };
    const outcomes: Outcome[] = [];
    const plan: Planned[] = [];
    for (const request of requests) {
      const planned = await attempt(run, request.tool.tool, () => resolvePromotion(request, context));
      if (planned !== undefined) plan.push(planned);
    }
    world.report.plan(plan.map(({ row }) => row));
    if (!options.dryRun && plan.some(({ ready }) => ready !== undefined)) requireKey(world);

    for (const planned of plan) {
      const outcome = await attempt(run, planned.tool.tool, () => act(planned, options, context));
      if (outcome === undefined) continue;
      world.report.outcome(outcome);
      outcomes.push(outcome);
    }
    return { outcomes, failures, published: context.published };
  });
}

async function act(
  { tool, row, ready }: Planned,
  options: PromoteOptions,
  context: Context,
): Promise<Outcome> {
  const common = { tool: tool.tool, version: row.to };
  if (ready === undefined) return { ...common, kind: 'nothing', detail: row.why };
  const onStep = (step: string): void => context.world.report.step(tool.tool, step);
  // what was fine when the beta was made may have become known since
  if (ready.look !== undefined) context.watch?.require(ready.look, tool.tool, row.to);

  if (ready.published?.record !== undefined) {
    const manifestText = renderManifest(
      ready.templates.manifest,
      tool,
      ready.published.record,
      context.places.addresses,
    );
    const recordText = printReleaseRecord(ready.published.record);
    await keep(options.outDir, { ...common, nupkgPath: ready.published.nupkgPath, manifestText, recordText });
    if (options.dryRun) return { ...common, kind: 'made', detail: 'nothing was published (--dry-run)' };
    if (!context.places.isPut) await requirePayloads(tool, ready.published.record, context);
    onStep('commit');
    await commitManifest({ ...common, manifestText }, context);
    return {
      ...common,
      kind: 'promoted',
      detail: 'the package was on the feed already, main and beta now offer it',
    };
  }
  const { packed } = await recipe.local.run(ready, context, onStep);
  const { manifestText, recordText } = packed.rendered;
  const payloads = payloadsToKeep(packed.rendered, context.places);
  await keep(options.outDir, { ...common, nupkgPath: packed.nupkgPath, manifestText, recordText, payloads });
  if (options.dryRun) return { ...common, kind: 'made', detail: 'nothing was published (--dry-run)' };
  await recipe.outside.run({ packed }, context, onStep);
  return { ...common, kind: 'promoted', detail: `on the feed and on branches main and beta, ${row.why}` };
}

async function repackBeta(
  { tool, stable, beta, templates }: Ready,
  { feed, places, workDir }: Context,
): Promise<{ packed: Packed }> {
  const { record, nupkgPath } = beta;
  const manifestTemplate = templates.manifest;
  return {
    packed: await repack({ tool, record, nupkgPath, stable, manifestTemplate, feed, places, workDir }),
  };
}

async function commitStable({ packed }: { packed: Packed }, context: Context): Promise<object> {
  const { tool, packageVersion: version, manifestText } = packed.rendered;
  await commitManifest({ tool: tool.tool, version, manifestText }, context);
  return {};
}

async function commitManifest(
  change: { readonly tool: string; readonly version: string; readonly manifestText: string },
  context: Context,
): Promise<void> {
  await publishManifest(context.bucket, { ...change, branches: ['main', 'beta'] });
  context.published.push(`manifest ${change.tool} ${change.version} on branches main and beta`);
}

async function keep(outDir: string | undefined, files: KeptFiles): Promise<void> {
  if (outDir !== undefined) await keepFiles(outDir, files);
}

export function createCommand(invocation: Invocation): Command {
  const command = new Command('release:promote')
    .description(
      'The newest beta, or the named one, becomes stable: same exes, on the feed and on branches main and beta.',
    )
    .argument('<tool[@version]...>', 'version: 1.22.0 or 1.22.0-beta.2; none: the newest beta');
  addFlags(command, ['dryRun', 'out', 'json', 'quiet'], examples, invocation);
  return command.action((args: readonly string[], flags: ReleaseFlags) =>
    runVerb(invocation, flags, async (world, tools) => {
      const outDir = await openOutDir(invocation.cwd, flags.out);
      endRun(await promote(world, readRequests(args, tools), { ...flags, outDir }));
    }),
  );
}

const examples = [
  'release:promote delve                         its newest beta',
  'release:promote delve@1.22.0 buf@1.32.0       the newest beta of these',
  'release:promote delve@1.22.0-beta.1           exactly this beta',
];
