import { Command } from 'commander';
import { digestFile } from '../../formats/digest.ts';
import { printReleaseRecord } from '../../formats/release-record.ts';
import type { Invocation } from '../../invocation.ts';
import { type Artifacts, artifactsOf, promisedBy } from '../build/artifacts.ts';
import { renderManifest } from '../build/render/scoop.ts';
import { keepFiles, openOutDir } from '../publish/keep-files.ts';
import { publishRelease } from '../publish/publish-release.ts';
import { inWords } from '../report/reasons.ts';
import type { Outcome } from '../report/report.ts';
import type { OpenToolkit } from '../toolkit.ts';
import { addFlags, type ReleaseFlags } from './flags.ts';
import { type BetaPlan, planBeta } from './plan/beta.ts';
import type { SourceOptions } from './plan/beta-decision.ts';
import { requireBundled, withSources } from './run/from-bundle.ts';
import { type Request, readRequests } from './run/request.ts';
import { startRun } from './run/run.ts';
import { endRun, type RunResult } from './run/run-each.ts';
import { runVerb } from './run/run-verb.ts';
import type { VerbToolkit } from './run/toolkit.ts';
import { withFeed } from './run/with-feed.ts';

export type BetaOptions = SourceOptions & {
  readonly dryRun?: boolean;
  readonly outDir?: string | undefined;
};

/**
 * Releases to beta: all tools are built at once, and published one after the other. What fails for one tool is in the result; the others are done.
 * @throws ReleaseError INTERRUPTED, FEED_UNREACHABLE, BUCKET_UNREACHABLE, FEED_KEY_*: then nothing is done at all
 */
export function releaseBeta(
  toolkit: VerbToolkit,
  requests: readonly Request[],
  options: BetaOptions,
): Promise<RunResult> {
  return withFeed(toolkit, async (toolkit) => {
    const run = startRun(toolkit, requests);
    const plans = await run.plan((request) => planBeta(request, options, toolkit));
    await run.show(plans, options.dryRun ? undefined : ['push:beta']);
    const built = await run.build(plans, (plan, own) => build(plan, options, own));
    return run.publish(built, ({ plan, build, toolkit }) => publish(plan, build, options, toolkit));
  });
}

type Build = { readonly source: Artifacts; readonly recordText: string };

/** A new package, or the manifest that is missing for the one that the feed has. */
async function build(plan: BetaPlan, { outDir }: BetaOptions, toolkit: OpenToolkit): Promise<Artifacts> {
  const { source, recordText } =
    plan.does === 'release' ? await buildNew(plan, toolkit) : await takePublished(plan, toolkit);
  if (outDir !== undefined) {
    const { tool, version } = plan;
    await keepFiles(outDir, { tool, version, recordText, source }, toolkit.endpoints);
  }
  return source;
}

/** The recipe comes only when there is something to build: it brings the libraries of signatures, certificates and SBOMs, a fifth of the start. */
async function buildNew(plan: BetaPlan, toolkit: OpenToolkit): Promise<Build> {
  const { recipe } = await import('../build/recipe.ts');
  const { packed } = await recipe.run(plan, toolkit, (step) => toolkit.report.step(plan.tool.tool, step));
  const { recordText } = packed.rendered;
  return { source: artifactsOf(packed, toolkit.endpoints.addresses), recordText };
}

/** From the record in the package on the feed. */
async function takePublished(
  { tool, templates, released, record }: Exclude<BetaPlan, { does: 'release' }>,
  { endpoints: { addresses } }: OpenToolkit,
): Promise<Build> {
  const path = released.nupkgPath;
  return {
    source: {
      nupkg: { path, digest: await digestFile(path) },
      manifestText: renderManifest(templates.manifest, tool, record, addresses),
      promised: promisedBy(tool, record, addresses),
      payloads: [],
    },
    recordText: printReleaseRecord(record),
  };
}

async function publish(
  { tool, version, does, reason }: BetaPlan,
  source: Artifacts,
  { dryRun }: BetaOptions,
  toolkit: OpenToolkit,
): Promise<Outcome> {
  const about = { tool: tool.tool, version };
  if (does === 'nothing') return { ...about, kind: 'nothing', detail: inWords(reason) };
  if (dryRun) return { ...about, kind: 'made', detail: 'nothing was published (--dry-run)' };
  await publishRelease({ tool, version, source, to: ['beta'] }, toolkit);
  const detail =
    does === 'finish'
      ? 'the package was already on the feed, branch beta now offers it'
      : `on the feed and on branch beta, ${inWords(reason)}`;
  return { ...about, kind: 'released', detail };
}

export function createCommand(invocation: Invocation): Command {
  const command = new Command('release:beta')
    .description(
      'Releases upstream versions as betas: fetches and verifies them, and publishes the package U-beta.N on the feed and the manifest on branch beta.',
    )
    .argument(
      '[tool[@version]...]',
      'no tool: all tools; no version: the newest stable one that the tool file allows',
    );
  const flagNames = ['dryRun', 'out', 'source', 'from', 'correct', 'maxWait', 'json', 'quiet'] as const;
  addFlags(command, flagNames, examples, invocation);
  return command.action((args: readonly string[], flags: ReleaseFlags) =>
    runVerb(invocation, flags, args, async (toolkit, tools, broken) => {
      const outDir = await openOutDir(invocation.cwd, flags.out);
      const options = { ...flags, sources: flags.source, outDir };
      await withSources(toolkit, { cwd: invocation.cwd, from: flags.from }, async (place, bundled) => {
        const wanted = args.length === 0 ? bundled : args;
        const requests = readRequests(wanted, tools);
        if (flags.from !== undefined) requireBundled(requests, bundled);
        endRun(await releaseBeta(place, requests, options), broken);
      });
    }),
  );
}

const examples = [
  'release:beta                                  all tools, newest versions',
  'release:beta delve@1.22.0 buf                 one exactly, one newest',
  'release:beta delve --source go-module         built here from the Go module',
  'release:beta --from tools.bundle              without a network, from a file of bundle:create',
  'release:beta delve@1.22.0 --correct           again, once the reason for its withdrawal is fixed',
  'release:beta --dry-run --out ./made           check the result first',
  '--silent release:beta --json | jq .           for machines',
];
