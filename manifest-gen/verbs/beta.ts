import { digestFile } from '../../formats/digest.ts';
import { printReleaseRecord } from '../../formats/release-record.ts';
import { type Artifacts, expectedFiles } from '../build/artifacts.ts';
import { renderManifest } from '../build/render/scoop.ts';
import { keepFiles } from '../publish/keep-files.ts';
import { publishRelease } from '../publish/publish-release.ts';
import { inWords } from '../report/reasons.ts';
import type { Outcome } from '../report/report.ts';
import { packageIdOf, type Tool } from '../tool-file/tools.ts';
import type { OpenToolkit } from '../toolkit.ts';
import { upstreamReleases } from './flags.ts';
import { type BetaPlan, planBeta } from './plan/beta.ts';
import type { SourceOptions } from './plan/beta-decision.ts';
import { requireBundled } from './run/from-bundle.ts';
import { readRequests } from './run/request.ts';
import { type Phases, runPhases } from './run/run.ts';
import { endRun } from './run/run-each.ts';
import { verb } from './run/run-verb.ts';
import { withFeed } from './run/with-feed.ts';

type BetaOptions = SourceOptions & {
  readonly dryRun?: boolean;
  readonly outDir?: string | undefined;
  /** It is made stable at once: nobody tests it. */
  readonly isPromotedNext?: boolean;
};

/** A release to beta. */
export const betaPhases: Phases<BetaPlan, Artifacts, BetaOptions> = {
  plan: planBeta,
  scopes: () => ['push:beta'],
  build,
  publish,
};

/** A new package, or the manifest that is missing for the one that the feed has. */
async function build(plan: BetaPlan, { outDir }: BetaOptions, toolkit: OpenToolkit): Promise<Artifacts> {
  const made = plan.does === 'release' ? await buildNew(plan, toolkit) : await takePublished(plan, toolkit);
  if (outDir !== undefined) await keepFiles(outDir, made, toolkit.endpoints);
  return made;
}

/** The recipe comes only when there is something to build: it brings the libraries of signatures, certificates and SBOMs, a fifth of the start. */
async function buildNew(plan: BetaPlan, toolkit: OpenToolkit): Promise<Artifacts> {
  const recipe = await import('../build/recipe.ts');
  return recipe.build(plan, toolkit, (step) => toolkit.report.step(plan.tool.tool, step));
}

/** From the record in the package on the feed. */
async function takePublished(
  { tool, version, templates, released: { nupkgPath: path, record } }: Exclude<BetaPlan, { does: 'release' }>,
  { endpoints: { addresses } }: OpenToolkit,
): Promise<Artifacts> {
  return {
    ...{ tool, version, nupkg: { path, digest: await digestFile(path) } },
    manifestText: renderManifest(templates.manifest, tool, record, addresses),
    recordText: printReleaseRecord(record),
    expected: expectedFiles(tool, record, addresses),
    payloads: [],
  };
}

async function publish(
  { tool, version, does, reason }: BetaPlan,
  made: Artifacts,
  { dryRun, isPromotedNext }: BetaOptions,
  toolkit: OpenToolkit,
): Promise<Outcome> {
  const about = { tool: tool.tool, version };
  if (does === 'nothing') return { ...about, kind: 'nothing', detail: inWords(reason) };
  if (dryRun) return { ...about, kind: 'made', detail: 'nothing was published (--dry-run)' };
  await publishRelease({ ...made, to: ['beta'] }, toolkit);
  const detail =
    does === 'finish'
      ? 'the package was already on the feed, branch beta now offers it'
      : `on the feed and on branch beta, ${inWords(reason)}`;
  const page = isPromotedNext ? undefined : pageOf(tool, toolkit.endpoints);
  return { ...about, kind: 'released', detail, page };
}

/** Undefined: the feed is another product. */
function pageOf(tool: Tool, { addresses: { publicUrl } }: OpenToolkit['endpoints']): string | undefined {
  return publicUrl && `${publicUrl}/packages/${packageIdOf(tool)}`;
}

export const createCommand = verb({
  name: 'release:beta',
  description:
    'Releases upstream versions as betas: fetches and verifies them, and publishes the package U-beta.N on the feed and the manifest on branch beta.',
  argument: upstreamReleases,
  flags: ['dryRun', 'out', 'source', 'from', 'correct', 'maxWait', 'json', 'quiet'],
  examples: [
    'release:beta                                  all tools, newest versions',
    'release:beta delve@1.22.0 buf                 that version of delve, the newest of buf',
    'release:beta delve --source go-module         built here from the Go module',
    'release:beta --from tools.bundle              without a network, from a file of bundle:create',
    'release:beta delve@1.22.0 --correct           again, once the reason for its withdrawal is fixed',
    'release:beta --dry-run --out ./made           check the result first',
    '--silent release:beta --json | jq .           for machines',
  ],
  async run({ args, flags, tools, broken, outDir, bundled }, toolkit) {
    const requests = readRequests(args.length === 0 ? bundled : args, tools);
    if (flags.from !== undefined) requireBundled(requests, bundled);
    const options = { ...flags, sources: flags.source, outDir };
    endRun(await withFeed(toolkit, (opened) => runPhases(opened, requests, options, betaPhases)), broken);
  },
});
