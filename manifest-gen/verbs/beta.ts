import { Command } from 'commander';
import { printReleaseRecord } from '../../formats/release-record.ts';
import type { Invocation } from '../../invocation.ts';
import { renderManifest } from '../build/render/scoop.ts';
import { keepFiles, openOutDir } from '../publish/keep-files.ts';
import { publishManifest } from '../publish/manifest.ts';
import { payloadsToKeep, requirePayloads } from '../publish/require-payloads.ts';
import type { Packed } from '../release.ts';
import type { Outcome } from '../report/report.ts';
import type { OpenToolkit } from '../toolkit.ts';
import { addFlags, type ReleaseFlags } from './flags.ts';
import { type Resolved, type ResolveOptions, resolve } from './resolve/beta.ts';
import { planRow } from './resolve/plan-row.ts';
import { requireBundled, withSources } from './run/from-bundle.ts';
import { type Request, readRequests } from './run/request.ts';
import { endRun, type RunResult } from './run/run-each.ts';
import { runPlan } from './run/run-plan.ts';
import { runVerb } from './run/run-verb.ts';
import type { VerbToolkit } from './run/toolkit.ts';

export type BetaOptions = ResolveOptions & {
  readonly dryRun?: boolean;
  readonly outDir?: string | undefined;
};

/**
 * Releases to beta: all tools are made at once, and published one after the other. A failure of one tool is in the result; the
 * others go on.
 * @throws ReleaseError INTERRUPTED, FEED_UNREACHABLE, BUCKET_UNREACHABLE, FEED_KEY_*: then nothing is done
 */
export function releaseBeta(
  toolkit: VerbToolkit,
  requests: readonly Request[],
  options: BetaOptions,
): Promise<RunResult> {
  return runPlan(toolkit, requests, {
    resolve: async (request, toolkit) => {
      const resolved = await resolve(request, options, toolkit);
      return { ...resolved, row: await planRow(resolved, toolkit) };
    },
    prepare: (resolved, toolkit) => prepare(resolved, options, toolkit),
    act: (resolved, packed, toolkit) =>
      resolved.does === 'release'
        ? release(resolved, packed, options, toolkit)
        : finish(resolved, options, toolkit),
    scopes: ['push:beta'],
    isDryRun: options.dryRun === true,
  });
}

/** Undefined where the package is on the feed already. */
async function prepare(
  resolved: Resolved,
  options: BetaOptions,
  toolkit: OpenToolkit,
): Promise<Packed | undefined> {
  if (resolved.does !== 'release') return undefined;
  const tool = resolved.tool.tool;
  const { recipe } = await loadRecipe();
  const { packed } = await recipe.local.run(resolved, toolkit, (step) => toolkit.report.step(tool, step));
  if (options.outDir !== undefined) {
    const { packageVersion: version, manifestText, recordText } = packed.rendered;
    const payloads = await payloadsToKeep(packed.rendered, toolkit.endpoints);
    const { nupkgPath } = packed;
    await keepFiles(options.outDir, { tool, version, nupkgPath, manifestText, recordText, payloads });
  }
  return packed;
}

async function release(
  { tool: { tool }, version, why }: Resolved,
  packed: Packed | undefined,
  options: BetaOptions,
  toolkit: OpenToolkit,
): Promise<Outcome> {
  if (packed === undefined) throw new TypeError(`${tool} ${version} was not made`);
  if (options.dryRun) return { tool, version, kind: 'made', detail: 'nothing was published (--dry-run)' };
  const { recipe } = await loadRecipe();
  await recipe.outside.run({ packed }, toolkit, (step) => toolkit.report.step(tool, step));
  return { tool, version, kind: 'released', detail: `on the feed and on branch beta, ${why}` };
}

/** Only when there is something to release: it brings the libraries of signatures, certificates and SBOMs, a fifth of the start. */
function loadRecipe(): Promise<typeof import('../build/recipe.ts')> {
  return import('../build/recipe.ts');
}

/** The package is on the feed; what is missing after an interruption is the manifest, made from the package's own record. */
async function finish(
  resolved: Exclude<Resolved, { does: 'release' }>,
  options: BetaOptions,
  toolkit: OpenToolkit,
): Promise<Outcome> {
  const { version, record, released, templates, does, why } = resolved;
  const tool = resolved.tool.tool;
  const manifestText = renderManifest(templates.manifest, resolved.tool, record, toolkit.endpoints.addresses);
  if (options.outDir !== undefined) {
    const { nupkgPath } = released;
    await keepFiles(options.outDir, {
      tool,
      version,
      nupkgPath,
      manifestText,
      recordText: printReleaseRecord(record),
    });
  }
  if (does === 'nothing') return { tool, version, kind: 'nothing', detail: why };
  if (options.dryRun) return { tool, version, kind: 'made', detail: 'nothing was published (--dry-run)' };
  if (!toolkit.endpoints.isPut) await requirePayloads(resolved.tool, record, toolkit);
  toolkit.report.step(tool, 'commit');
  await publishManifest(toolkit.bucket, { tool, version, manifestText, branches: ['beta'] });
  toolkit.done.push(`manifest ${tool} ${version} on branch beta`);
  return {
    tool,
    version,
    kind: 'released',
    detail: 'the package was already on the feed, branch beta now offers it',
  };
}

export function createCommand(invocation: Invocation): Command {
  const command = new Command('release:beta')
    .description(
      'Releases a version of upstream as a beta: fetches and verifies it, and publishes the package U-beta.N on the feed and the manifest on branch beta.',
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
