import { compareScoopVersions } from '../../formats/scoop-version.ts';
import { begin } from '../build/chain.ts';
import { recipe } from '../build/recipe.ts';
import { packagingOf } from '../build/render/packaging.ts';
import { type Parts, partsOf, repack } from '../build/repack.ts';
import { payloads, push } from '../build/steps.ts';
import { ReleaseError } from '../errors.ts';
import { channelOf, nextBeta, type Withdrawal } from '../plan/withdrawal.ts';
import type { Found, Packed } from '../release.ts';
import { prove } from '../reverify/prove.ts';
import type { OpenToolkit } from '../toolkit.ts';
import { type Good, isUpstream, type PlannedWithdrawal } from '../verbs/resolve/withdrawal.ts';
import { makeStable } from './make-stable.ts';
import { publishManifest } from './manifest.ts';

type Correction = Extract<Withdrawal, { kind: 'correct' }>;
type Birth = { readonly packed: Packed; readonly reason: string };

/** The good bytes as the first beta of the correction. */
const birth = begin<Birth, OpenToolkit>()
  .step('payloads', payloads)
  .step('push', push)
  .step('commit', ({ packed: { rendered }, reason }, toolkit) =>
    commitBeta(rendered.tool.tool, rendered.packageVersion, rendered.manifestText, reason, toolkit),
  );

/** The correction, on this machine only. */
export type Correcting = {
  /** Its first beta; undefined if an earlier run came further. */
  readonly firstBeta: Packed | undefined;
  /** What that becomes, when a stable version is withdrawn. */
  readonly stable: Packed | undefined;
  /** The same bytes under another number of a beta. */
  readonly as: (version: string) => Promise<Packed>;
};

/**
 * The good one's package under the correction's versions. One that the feed does not have is fetched, verified and judged as for
 * a beta; otherwise it is compared with everything available: a beta with the correction's number by somebody else is never used.
 * @throws ReleaseError PROMOTION_UNPROVEN, REFUSED, FEED_*
 */
export async function makeCorrection(
  planned: PlannedWithdrawal,
  good: Good | Found,
  { firstBeta, stable, stage }: Correction,
  toolkit: OpenToolkit,
): Promise<Correcting> {
  const { tool, templates } = planned;
  const { endpoints, workDir } = toolkit;
  const place = { endpoints, workDir, signal: toolkit.signal, manifestTemplate: templates.manifest };
  const parts = await partsOfGood(planned, good, firstBeta, toolkit);
  const as = (version: string): Promise<Packed> => {
    toolkit.report.step(tool.tool, 'repack', `${good.version} as ${version}`);
    return repack(parts, { ...place, version });
  };
  return {
    firstBeta: stage === 'published' ? undefined : await as(firstBeta),
    stable: stable === undefined ? undefined : await as(stable),
    as,
  };
}

async function partsOfGood(
  { tool, templates, row }: PlannedWithdrawal,
  good: Good | Found,
  firstBeta: string,
  toolkit: OpenToolkit,
): Promise<Parts> {
  if (!isUpstream(good)) {
    const wasStable = channelOf(good.version) === 'main';
    const proven = await prove({ tool, templates, stable: row.to, beta: good }, { wasStable }, toolkit);
    return partsOf(tool, proven, toolkit.endpoints);
  }
  const start = {
    ...{ tool, found: good, templates, packaging: packagingOf(tool, templates), version: firstBeta },
    ...{ standing: row, why: row.why, does: 'release' as const },
  };
  const onStep = (step: string): void => toolkit.report.step(tool.tool, step);
  return (await recipe.local.run(start, toolkit, onStep)).packed.rendered;
}

/**
 * Publishes the correction: as a beta, and at once as stable when a stable version is withdrawn. What an earlier run has
 * published is not sent twice.
 * @returns the version that is offered now
 * @throws ReleaseError FEED_*, BUCKET_*
 */
export async function putOnTop(
  { firstBeta, stable, as }: Correcting,
  reason: string,
  toolkit: OpenToolkit,
): Promise<string | undefined> {
  const first = firstBeta === undefined ? undefined : await bear(firstBeta, as, reason, toolkit);
  if (stable !== undefined) await makeStable({ packed: stable, reason }, toolkit);
  return (stable ?? first)?.rendered.packageVersion;
}

/**
 * Holders of a beta key could have published other bytes under the number of the correction's beta: then the next number is used.
 * They cannot block a withdrawal, however many they push before it.
 */
async function bear(
  packed: Packed,
  as: Correcting['as'],
  reason: string,
  toolkit: OpenToolkit,
  attempt = 1,
): Promise<Packed> {
  const { tool, packageVersion: version } = packed.rendered;
  const { report } = toolkit;
  try {
    await birth.run({ packed, reason }, toolkit, (step) => report.step(tool.tool, step));
    return packed;
  } catch (error) {
    const isTaken = error instanceof ReleaseError && error.code === 'FEED_CONFLICT';
    const next = nextBeta(version);
    if (!isTaken || next === undefined || attempt === maxTaken) throw error;
    report.warn(tool.tool, `${version} exists with other bytes, so ${next} is made: ${error.message}`);
    return bear(await as(next), as, reason, toolkit, attempt + 1);
  }
}

const maxTaken = 100;

/** Testers who are ahead already stay there: a branch only moves up. */
async function commitBeta(
  tool: string,
  version: string,
  manifestText: string,
  note: string,
  { bucket, done }: OpenToolkit,
): Promise<object> {
  await bucket.fetch();
  const offered = await bucket.version('beta', tool);
  if (offered !== undefined && compareScoopVersions(offered, version) >= 0) return {};
  await publishManifest(bucket, { tool, version, manifestText, note, branches: ['beta'] });
  done.push(`manifest ${tool} ${version} on branch beta`);
  return {};
}
