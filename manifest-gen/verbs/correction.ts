import { ReleaseError } from '../../errors/release-error.ts';
import type { Artifacts } from '../build/artifacts.ts';
import { renderNew } from '../build/recipe.ts';
import { packagingOf } from '../build/render/packaging.ts';
import { type Parts, partsOf, repack } from '../build/repack.ts';
import { nextBeta } from '../plan/release-version.ts';
import { channelOf, type Withdrawal } from '../plan/withdrawal.ts';
import { publishRelease } from '../publish/publish-release.ts';
import type { GoodRelease } from '../published/published.ts';
import type { Found } from '../release.ts';
import type { PlanRow } from '../report/report.ts';
import { prove } from '../reverify/prove.ts';
import type { OpenToolkit } from '../toolkit.ts';
import { isUpstream, type WithdrawalPlan } from './plan/withdrawal.ts';

/** The good bytes under the numbers of a correction, on this machine only. */
export type Correction = Awaited<ReturnType<typeof buildCorrection>>;

/** The tool, and the version that comes on top. */
type Corrected = Pick<WithdrawalPlan, 'tool' | 'templates'> & { readonly row: Pick<PlanRow, 'to'> };

/** The good one's package under the correction's versions. Same errors as `packGood`. */
export async function buildCorrection(
  plan: Corrected,
  good: GoodRelease | Found,
  { firstBeta, stable, stage }: Extract<Withdrawal, { kind: 'correct' }>,
  toolkit: OpenToolkit,
) {
  const as = await packGood(plan, good, firstBeta, toolkit);
  return {
    /** The beta that comes first; undefined where an earlier run came further. */
    firstBeta: stage === 'published' ? undefined : await as(firstBeta),
    /** What that becomes, when a stable version is withdrawn. */
    stable: stable === undefined ? undefined : await as(stable),
    /** The same bytes under another number of a beta. */
    as,
  };
}

/**
 * Packs the good one's bytes under any version. One that the feed does not have is fetched, verified and judged as for a beta;
 * otherwise it is compared with everything available: a beta with the correction's number by somebody else is never used.
 * @param first the version that comes first
 * @throws ReleaseError PROMOTION_UNPROVEN, REFUSED, FEED_*
 */
export async function packGood(
  plan: Corrected,
  good: GoodRelease | Found,
  first: string,
  toolkit: OpenToolkit,
): Promise<(version: string) => Promise<Artifacts>> {
  const parts = await partsOfGood(plan, good, first, toolkit);
  return (version) => {
    toolkit.report.step(plan.tool.tool, 'repack', `${good.version} as ${version}`);
    return repack(parts, version, plan.templates.manifest, toolkit);
  };
}

async function partsOfGood(
  { tool, templates, row }: Corrected,
  good: GoodRelease | Found,
  version: string,
  toolkit: OpenToolkit,
): Promise<Parts> {
  if (!isUpstream(good)) {
    const wasStable = channelOf(good.version) === 'main';
    const proven = await prove({ tool, templates, stable: row.to, beta: good }, { wasStable }, toolkit);
    return partsOf(tool, proven, toolkit.endpoints);
  }
  const order = { tool, found: good, templates, packaging: packagingOf(tool, templates), version };
  const onStep = (step: string): void => toolkit.report.step(tool.tool, step);
  return renderNew(order, toolkit, onStep);
}

/**
 * Publishes the correction: first as a beta, and as stable at once when a stable version is withdrawn.
 * @returns the version that is offered now
 * @throws ReleaseError FEED_*, BUCKET_*
 */
export async function publishCorrection(
  { firstBeta, stable, as }: Correction,
  reason: string,
  toolkit: OpenToolkit,
): Promise<string | undefined> {
  const first = firstBeta === undefined ? undefined : await publishFirstBeta(firstBeta, as, reason, toolkit);
  if (stable !== undefined) await publishRelease({ ...stable, to: ['main', 'beta'], reason }, toolkit);
  return (stable ?? first)?.version;
}

const maxTaken = 100;

/**
 * Whoever may push betas could have put other bytes under the number of the correction: the next one is taken then. They
 * cannot hold a withdrawal up, however many they push before it.
 */
async function publishFirstBeta(
  packed: Artifacts,
  as: Correction['as'],
  reason: string,
  toolkit: OpenToolkit,
  attempt = 1,
): Promise<Artifacts> {
  const { tool, version } = packed;
  try {
    // testers who are ahead already stay there: a branch only moves up
    await publishRelease({ ...packed, to: ['beta'], keepsNewer: true, reason }, toolkit);
    return packed;
  } catch (error) {
    const isTaken = error instanceof ReleaseError && error.code === 'FEED_CONFLICT';
    const next = nextBeta(version);
    if (!isTaken || next === undefined || attempt === maxTaken) throw error;
    toolkit.report.warn(
      tool.tool,
      `${version} exists with other bytes, so ${next} is made: ${error.message}`,
    );
    return publishFirstBeta(await as(next), as, reason, toolkit, attempt + 1);
  }
}
