import { compareScoopVersions } from '../../formats/scoop-version.ts';
import { fail } from '../errors.ts';
import { repack } from '../promote/apply.ts';
import { publishManifest } from '../publish/bucket-branch.ts';
import { listVersions } from '../publish/feed-client.ts';
import { createReleaseReader } from '../publish/released.ts';
import type { Found, Packed } from '../release.ts';
import { packagingOf } from '../render/packaging.ts';
import { renderManifest } from '../render/scoop.ts';
import type { Withdrawal } from '../withdraw/plan.ts';
import { recipe } from './beta-recipe.ts';
import { begin } from './chain.ts';
import type { Context } from './context.ts';
import { makeStable, prepareStable } from './make-stable.ts';
import { requirePayloads } from './require-payloads.ts';
import { type Good, isUpstream, type PlannedWithdrawal } from './resolve-withdrawal.ts';
import { payloads, push } from './steps.ts';

export type Correction = Extract<Withdrawal, { kind: 'correct' }>;
type Birth = { readonly packed: Packed; readonly reason: string };

/** The good bytes as the beta that the correction is born as. */
const birth = begin<Birth, Context>()
  .step('payloads', payloads)
  .step('push', push)
  .step('commit', ({ packed: { rendered }, reason }, context) =>
    commitBeta(rendered.tool.tool, rendered.packageVersion, rendered.manifestText, reason, context),
  );

/**
 * The good one's package under another version, here only; its record goes on saying which upstream version it is. One that the
 * feed does not have is fetched, verified and judged as for a beta.
 */
export async function repackGood(
  planned: PlannedWithdrawal,
  good: Good | Found,
  version: string,
  context: Context,
): Promise<Packed> {
  const { tool, templates, row } = planned;
  const { world, feed, places, workDir } = context;
  if (isUpstream(good)) {
    const start = {
      ...{ tool, found: good, templates, packaging: packagingOf(tool, templates), version },
      ...{ standing: row, why: row.why, does: 'release' as const },
    };
    return (await recipe.local.run(start, context, (step) => world.report.step(tool.tool, step))).packed;
  }
  const { record, nupkgPath } = good;
  world.report.step(tool.tool, 'repack', `${record.version} as ${version}`);
  const manifestTemplate = templates.manifest;
  const place = { feed, places, workDir, signal: world.signal };
  return repack({ tool, record, nupkgPath, stable: version, manifestTemplate, ...place });
}

/**
 * Publishes the correction: born as a beta, and stable at once when a stable version is withdrawn. What an earlier run has
 * published is taken from the feed, whatever this one would make.
 * @param packed what is born; undefined when the feed has it
 * @throws ReleaseError FEED_*, BUCKET_*
 */
export async function putOnTop(
  { tool, templates }: PlannedWithdrawal,
  { born, stable, stage }: Correction,
  packed: Packed | undefined,
  reason: string,
  context: Context,
): Promise<void> {
  const { feed, world, places } = context;
  const onStep = (step: string): void => world.report.step(tool.tool, step);
  if (packed !== undefined) await birth.run({ packed, reason }, context, onStep);
  const packages = await listVersions(feed, tool.packageId ?? tool.tool);
  const beta = await createReleaseReader(feed, world.cache, packages)(born);
  if (beta?.record === undefined) {
    fail('NOTHING_PUBLISHED_HERE', {
      tool: tool.tool,
      problem: `the feed does not have ${born}`,
      hint: 'Run the withdrawal again; it goes on where it stopped.',
    });
  }
  const { record } = beta;
  if (stable !== undefined) {
    const published = stage === 'published' ? beta : undefined;
    const ready = { tool, stable, beta: { ...beta, record }, published, templates, reason };
    await makeStable(ready, await prepareStable(ready, {}, context), {}, context);
  } else if (packed === undefined) {
    if (!places.isPut) await requirePayloads(tool, record, context);
    onStep('commit');
    const manifestText = renderManifest(templates.manifest, tool, record, places.addresses);
    await commitBeta(tool.tool, born, manifestText, reason, context);
  }
}

/** Testers who are ahead already stay there: a branch only moves up. */
async function commitBeta(
  tool: string,
  version: string,
  manifestText: string,
  note: string,
  { bucket, published }: Context,
): Promise<object> {
  await bucket.fetch();
  const offered = await bucket.version('beta', tool);
  if (offered !== undefined && compareScoopVersions(offered, version) >= 0) return {};
  await publishManifest(bucket, { tool, version, manifestText, note, branches: ['beta'] });
  published.push(`manifest ${tool} ${version} on branch beta`);
  return {};
}
