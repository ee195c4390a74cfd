import { printReleaseRecord } from '../../formats/release-record.ts';
import { repack } from '../promote/apply.ts';
import { publishManifest } from '../publish/bucket-branch.ts';
import type { Released } from '../publish/released.ts';
import type { Packed } from '../release.ts';
import { renderManifest } from '../render/scoop.ts';
import type { Templates } from '../render/templates.ts';
import type { Tool } from '../tools.ts';
import { begin } from './chain.ts';
import type { Context } from './context.ts';
import { type KeptFiles, keepFiles } from './keep-files.ts';
import { payloadsToKeep, requirePayloads } from './require-payloads.ts';
import { payloads, push } from './steps.ts';

/** A beta that becomes stable. */
export type Ready = {
  readonly tool: Tool;
  readonly stable: string;
  readonly beta: Released & { readonly record: NonNullable<Released['record']> };
  /** The stable package, when it is on the feed already. */
  readonly published: Released | undefined;
  readonly templates: Templates;
  /** Why, where that is to be remembered: in the commit and in the audit log. */
  readonly reason?: string | undefined;
};

export type StableOptions = { readonly dryRun?: boolean; readonly outDir?: string | undefined };

/** As for a beta: first on this machine, then the feed, git last. */
const recipe = {
  local: begin<Ready, Context>().step('repack', repackBeta), // same exes, another version
  outside: begin<Ready & { readonly packed: Packed }, Context>()
    .step('payloads', payloads)
    .step('push', push)
    .step('commit', commitStable), // beta, main and the tag in one push
};

/**
 * The stable package, here only. Undefined where the feed has it from an earlier run, and only the bucket is behind.
 * @throws ReleaseError OTHER_BYTES, FEED_*
 */
export async function prepareStable(
  ready: Ready,
  { outDir }: StableOptions,
  context: Context,
): Promise<Packed | undefined> {
  const { tool, stable: version, published, templates } = ready;
  if (published?.record !== undefined) {
    const { record, nupkgPath } = published;
    const manifestText = renderManifest(templates.manifest, tool, record, context.places.addresses);
    const recordText = printReleaseRecord(record);
    await keep(outDir, { tool: tool.tool, version, nupkgPath, manifestText, recordText });
    return undefined;
  }
  const { packed } = await recipe.local.run(ready, context, onStepOf(ready, context));
  const { manifestText, recordText } = packed.rendered;
  await keep(outDir, {
    tool: tool.tool,
    version,
    nupkgPath: packed.nupkgPath,
    manifestText,
    recordText,
    payloads: await payloadsToKeep(packed.rendered, context.places),
  });
  return packed;
}

/**
 * The same exes under the stable version, on the feed and on branches main and beta. `finished`: the feed had it from an
 * earlier run, and only the bucket was behind.
 * @throws ReleaseError OTHER_BYTES, FEED_*, BUCKET_*
 */
export async function makeStable(
  ready: Ready,
  packed: Packed | undefined,
  { dryRun }: StableOptions,
  context: Context,
): Promise<'made' | 'finished' | 'published'> {
  const { tool, stable: version, published, templates, reason } = ready;
  if (dryRun) return 'made';
  const onStep = onStepOf(ready, context);
  if (packed !== undefined) {
    await recipe.outside.run({ ...ready, packed }, context, onStep);
    return 'published';
  }
  if (published?.record === undefined) throw new TypeError(`${tool.tool} ${version} was not made`);
  const { record } = published;
  if (!context.places.isPut) await requirePayloads(tool, record, context);
  onStep('commit');
  const manifestText = renderManifest(templates.manifest, tool, record, context.places.addresses);
  await commitManifest({ tool: tool.tool, version, manifestText, note: reason }, context);
  return 'finished';
}

function onStepOf({ tool }: Ready, { world }: Context): (step: string) => void {
  return (step) => world.report.step(tool.tool, step);
}

async function repackBeta(
  { tool, stable, beta, templates }: Ready,
  { feed, places, workDir, world }: Context,
): Promise<{ packed: Packed }> {
  const { record, nupkgPath } = beta;
  const manifestTemplate = templates.manifest;
  const place = { feed, places, workDir, signal: world.signal };
  return { packed: await repack({ tool, record, nupkgPath, stable, manifestTemplate, ...place }) };
}

async function commitStable(
  { packed, reason }: Ready & { packed: Packed },
  context: Context,
): Promise<object> {
  const { tool, packageVersion: version, manifestText } = packed.rendered;
  await commitManifest({ tool: tool.tool, version, manifestText, note: reason }, context);
  return {};
}

type Commit = {
  readonly tool: string;
  readonly version: string;
  readonly manifestText: string;
  readonly note: string | undefined;
};

async function commitManifest(change: Commit, context: Context): Promise<void> {
  await publishManifest(context.bucket, { ...change, branches: ['main', 'beta'] });
  context.published.push(`manifest ${change.tool} ${change.version} on branches main and beta`);
}

async function keep(outDir: string | undefined, files: KeptFiles): Promise<void> {
  if (outDir !== undefined) await keepFiles(outDir, files);
}
