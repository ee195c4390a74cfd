import { Argument } from 'commander';
import { fail, ReleaseError } from '../../errors/release-error.ts';
import { digestFile } from '../../formats/digest.ts';
import type { Artifacts } from '../build/artifacts.ts';
import { type Proven, partsOf, repack } from '../build/repack.ts';
import { keepFiles } from '../publish/keep-files.ts';
import { type Publication, publishRelease } from '../publish/publish-release.ts';
import { discardHeld } from '../published/feed/held.ts';
import type { Released } from '../published/published.ts';
import { inWords } from '../report/reasons.ts';
import type { Outcome } from '../report/report.ts';
import { prove } from '../reverify/prove.ts';
import type { OpenToolkit } from '../toolkit.ts';
import type { ReleaseFlags } from './flags.ts';
import { type PromotionPlan, planPromotionOf, type Skipped } from './plan/promotion.ts';
import { refuseOpen } from './plan/rollout.ts';
import { renewCorrections } from './rollout/held-correction.ts';
import { type Request, readRequests } from './run/request.ts';
import { type Phases, runPhases } from './run/run.ts';
import { endRun } from './run/run-each.ts';
import { verb } from './run/run-verb.ts';
import { withFeed } from './run/with-feed.ts';

type PromoteOptions = Skipped & {
  readonly dryRun?: boolean;
  readonly outDir?: string | undefined;
  /** This run has just released the betas from their sources. */
  readonly isJustMade?: boolean;
};

/** A beta that becomes stable. */
export const promotePhases: Phases<PromotionPlan, Artifacts | undefined, PromoteOptions> = {
  plan,
  scopes: () => ['push'],
  build: buildPromotion,
  publish,
};

async function plan(request: Request, options: PromoteOptions, toolkit: OpenToolkit): Promise<PromotionPlan> {
  const plan = await planPromotionOf(request, options, toolkit);
  await refuseOpen(plan.tool, plan.row.to, hintInstead, toolkit);
  return plan;
}

function hintInstead(tool: string): string {
  return `\`release:rollout complete ${tool}\` gives it to everybody now; \`release:rollout status ${tool}\` shows how far it is.`;
}

/**
 * Undefined where nothing is to be made. Before anything is published, all that is to be is proved, also in a dry run: a stable package is
 * made of a beta that was, and no other way.
 * @throws ReleaseError VULNERABLE, PROMOTION_*, OTHER_BYTES, FEED_*
 */
export async function buildPromotion(
  { tool, row, ready, scan }: PromotionPlan,
  { outDir, skipVerify, isJustMade = false }: PromoteOptions,
  toolkit: OpenToolkit,
): Promise<Artifacts | undefined> {
  if (ready === undefined) return undefined;
  // a vulnerability may have become known since the beta was made
  if (scan !== undefined) toolkit.scanner?.require(scan, tool.tool, row.to);
  const { stable, templates, existing } = ready;
  const { endpoints } = toolkit;
  const proven = await prove(ready, { isJustMade, isOffline: skipVerify !== undefined }, toolkit);
  toolkit.report.step(tool.tool, 'repack', `${ready.beta.version} as ${stable}`);
  const pack = (of: Proven): Promise<Artifacts> =>
    repack(partsOf(tool, of, endpoints), stable, templates.manifest, toolkit);
  let packed = await pack(proven);
  if (existing !== undefined && !(await isSame(existing, packed))) {
    // upstream may have edited its notes since an earlier run
    packed = await pack({ ...proven, nuspecAgain: undefined });
    await requireSame(existing, packed);
  }
  if (outDir !== undefined) await keepFiles(outDir, packed, endpoints);
  return packed;
}

/** What an interrupted promotion left on the feed equals what this one would publish, or it is not ours. */
async function requireSame(existing: Released, packed: Artifacts): Promise<void> {
  if (await isSame(existing, packed)) return;
  const { tool, version, nupkg } = packed;
  const expected = `SHA-256 ${nupkg.digest.sha256} as its beta makes it`;
  const { sha256: found } = await digestFile(existing.nupkgPath);
  fail('OTHER_BYTES', { tool: tool.tool, version, file: 'the package on the feed', expected, found });
}

async function isSame({ nupkgPath }: Released, { nupkg }: Artifacts): Promise<boolean> {
  return (await digestFile(nupkgPath)).sha256 === nupkg.digest.sha256;
}

async function publish(
  { tool, row, ready }: PromotionPlan,
  packed: Artifacts | undefined,
  { skipVerify, dryRun }: PromoteOptions,
  toolkit: OpenToolkit,
): Promise<Outcome> {
  const about = { tool: tool.tool, version: row.to };
  if (ready === undefined || packed === undefined) {
    if (!dryRun) await renewCorrections(tool, toolkit);
    return { ...about, kind: 'nothing', detail: inWords(row.why) };
  }
  const skipped = skipVerify === undefined ? '' : `; its evidence was not repeated: ${skipVerify}`;
  if (dryRun) return { ...about, kind: 'made', detail: `nothing was published (--dry-run)${skipped}` };
  const { reason, existing } = ready;
  const publication: Publication = { ...packed, to: ['main', 'beta'], reason };
  await publishRelease(publication, toolkit).catch(async (error: unknown) => {
    if (!isConflict(error) || !(await freeHeld(packed, toolkit))) throw error;
    await publishRelease(publication, toolkit);
  });
  await renewCorrections(tool, toolkit);
  const detail =
    existing === undefined
      ? `on the feed and on branches main and beta, ${inWords(row.why)}`
      : 'the package was already on the feed, main and beta now offer it';
  return { ...about, kind: 'promoted', detail: `${detail}${skipped}` };
}

/** The version is there already: published, or held, and then perhaps with other bytes. */
function isConflict(error: unknown): boolean {
  return error instanceof ReleaseError && (error.details.status === 409 || error.code === 'FEED_CONFLICT');
}

/** Discards what is held for a rollout that was rejected, or whose start was interrupted. False where nothing is, or a rollout needs it. */
async function freeHeld({ tool: { tool }, version }: Artifacts, toolkit: OpenToolkit): Promise<boolean> {
  const { feed, endpoints, signal } = toolkit;
  if (!endpoints.isOwnServer) return false;
  try {
    return await discardHeld(feed, tool, version);
  } catch (error) {
    // what the server says of the version itself helps more than why it cannot be discarded
    if (signal.aborted || !(error instanceof ReleaseError)) throw error;
    return false;
  }
}

/**
 * Skipping the wait or the verification needs a reason, for the commit and the audit log.
 * @throws ReleaseError USAGE
 */
export function requireReason({ now, skipVerify, reason, from }: ReleaseFlags): void {
  const wrong = (problem: string): never => fail('USAGE', { problem });
  if (skipVerify && from !== undefined)
    wrong('--from repeats the evidence from a bundle, --skip-verify does not repeat it: use one of them.');
  if (now && reason === undefined) wrong('--now needs --reason TEXT: why it cannot wait.');
  if (skipVerify && reason === undefined)
    wrong('--skip-verify needs --reason TEXT: why the evidence cannot be repeated.');
}

export function skippedBy({ now, skipVerify, reason }: ReleaseFlags) {
  return { skipMinAge: now ? reason : undefined, skipVerify: skipVerify ? reason : undefined };
}

export const createCommand = verb({
  name: 'release:promote',
  description:
    "Makes the newest beta, or the named one, stable: the same exes, on the feed and on branches main and beta. It first repeats the evidence, as release:verify does, and compares the whole package with what the recipe makes. A beta younger than the tool file's minAge is refused.",
  argument: new Argument('<tool[@version]...>', 'version: 1.22.0 or 1.22.0-beta.2; none: the newest beta'),
  flags: ['from', 'skipVerify', 'now', 'reason', 'dryRun', 'out', 'json', 'quiet'],
  examples: [
    'release:promote delve                         its newest beta',
    'release:promote delve@1.22.0 buf@1.32.0       the newest beta of these',
    'release:promote delve@1.22.0-beta.1           exactly this beta',
    "release:promote delve --now --reason 'fixes CVE-2026-1234'",
    'release:promote delve --from tools.bundle     without a network: the evidence comes from a signed bundle',
    "release:promote delve --skip-verify --reason 'the forge is down, checked by hand'",
  ],
  check({ flags }) {
    requireReason(flags);
    if (flags.now || flags.skipVerify || flags.reason === undefined) return;
    const why = '--reason says why a beta cannot wait, or why it is not verified';
    fail('USAGE', { problem: `${why}: give --now or --skip-verify too.` });
  },
  async run({ args, flags, tools, broken, outDir }, toolkit) {
    const requests = readRequests(args, tools);
    const options = { ...flags, ...skippedBy(flags), outDir };
    endRun(await withFeed(toolkit, (opened) => runPhases(opened, requests, options, promotePhases)), broken);
  },
});
