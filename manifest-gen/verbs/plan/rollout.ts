import { fail, ReleaseError } from '../../../errors/release-error.ts';
import { type CorrectionNumbers, nextCorrection, offeredAbove, takenByRollouts } from '../../plan/rollout.ts';
import { findAsked } from '../../plan/withdrawal.ts';
import { requireKey } from '../../publish/require-key.ts';
import {
  foreseeStart,
  isOpen,
  knownRollouts,
  listRollouts,
  type Rollout,
  statusOf,
} from '../../published/feed/rollouts.ts';
import { type GoodRelease, isOurs } from '../../published/published.ts';
import { inWords } from '../../report/reasons.ts';
import { packageIdOf, type Tool } from '../../tool-file/tools.ts';
import type { OpenToolkit } from '../../toolkit.ts';
import type { Request } from '../run/request.ts';
import { type PromotionPlan, planPromotionOf, type Skipped } from './promotion.ts';

/** What a rollback gives to the machines that were admitted. */
export type PlannedCorrection = CorrectionNumbers & { readonly good: GoodRelease };

export type RolloutPlan = PromotionPlan & {
  /** Where it is open already. */
  readonly open: Rollout | undefined;
  /** Undefined where main offers nothing. */
  readonly correction: PlannedCorrection | undefined;
};

/** What a key must be allowed to do for a start. */
export const startScopes = ['push', 'rollout'] as const;

type StartOptions = Skipped & {
  /** The plan as it is written. */
  readonly plan: unknown;
  readonly dryRun?: boolean;
};

/**
 * Opens the packages that matter, asks the server about rings and alerts, and decides; changes nothing.
 * @throws ReleaseError ROLLOUT_UNSUITED, ROLLOUT_REFUSED, ROLLOUT_PLAN, and as `planPromotionOf`
 */
export async function planRolloutOf(
  request: Request,
  options: StartOptions,
  toolkit: OpenToolkit,
): Promise<RolloutPlan> {
  const { tool } = request;
  requireOwnServer(toolkit);
  const promotion = await planPromotionOf(request, options, toolkit).catch((error: unknown) =>
    explainForeign(tool, error),
  );
  const { row, ready } = promotion;
  const version = row.to;
  if (!options.dryRun) await requireKey(toolkit, [{ tool, scopes: startScopes }]);
  const refuse = (why: string, hint = statusOf(tool.tool)): never =>
    fail('ROLLOUT_REFUSED', {
      ...{ tool: tool.tool, version, what: 'start', hint },
      reason: `${tool.tool} ${version} cannot be rolled out: ${why}`,
    });
  // a dry run needs no key, as for other verbs
  const rollouts = await (options.dryRun
    ? knownRollouts(toolkit, tool.tool)
    : listRollouts(toolkit.feed, tool.tool));
  const same = rollouts.find((one) => one.version === version && one.state !== 'rejected');
  if (same !== undefined && isOpen(same)) {
    const why = { code: 'rolling', version, state: same.state } as const;
    return { ...promotion, row: { ...row, does: 'nothing', why }, open: same, correction: undefined };
  }
  if (same !== undefined) refuse(`it was rolled out before and is ${same.state}`);
  if (ready === undefined)
    return refuse(inWords(row.why), `\`release:beta ${tool.tool}\` makes a beta of the next version.`);
  if (ready.existing !== undefined)
    refuse(`it is on the feed already: \`release:promote ${tool.tool}\` finishes that`);
  const above = offeredAbove(version, await toolkit.published.versions(tool), rollouts);
  if (above !== undefined) refuse(`machines are offered ${above}, which is above it`);
  const order = { tool: tool.tool, packageId: packageIdOf(tool), version, plan: options.plan };
  if (!(await foreseeStart(toolkit.feed, order)) && options.dryRun)
    toolkit.report.warn(
      tool.tool,
      'rings and firing alerts are not checked: that needs a key with the scopes push and rollout, and a server that is not older',
    );

  const correction = await planCorrection(tool, version, toolkit, takenByRollouts(rollouts));
  const back = correction && { version: correction.stable, bytesOf: correction.good.version };
  const why = { code: 'rollout', beta: ready.beta.version, back } as const;
  return { ...promotion, row: { ...row, does: 'rollout', why }, open: undefined, correction };
}

/**
 * What main offers now, under the number that comes on top of `version`.
 * @throws ReleaseError ROLLOUT_UNSUITED for a version of main that nothing can be made of
 */
export async function planCorrection(
  tool: Tool,
  version: string,
  toolkit: OpenToolkit,
  taken: readonly string[],
): Promise<PlannedCorrection | undefined> {
  const { published, bucket } = toolkit;
  const main = await bucket.version('main', tool.tool);
  if (main === undefined) return undefined;
  const good = await published.release(tool, main);
  if (!isOurs(good)) return refuseForeign(tool, `main offers ${main}, which go-win-tools did not make`);
  const packages = await published.versions(tool);
  const numbers = nextCorrection(version, [...packages.map((one) => one.version), ...taken]);
  return numbers && { ...numbers, good };
}

/** @throws ReleaseError ROLLOUT_UNSUITED where feed or bucket are others than our server's */
function requireOwnServer({ feed, endpoints, config }: OpenToolkit): void {
  const { addresses, isOwnServer, bucketUrl } = endpoints;
  const unsuited = (reason: string): never =>
    fail('ROLLOUT_UNSUITED', { what: 'A rollout', reason, hint: promoteInstead });
  if (!isOwnServer) unsuited(`the feed ${feed.feedUrl} is not served by go-win-tools`);
  const ours = [feed.serverUrl, addresses.publicUrl].flatMap((url) =>
    url === undefined ? [] : new URL(url).origin,
  );
  const isOwnBucket =
    config.bucketUrl === undefined || (URL.canParse(bucketUrl) && ours.includes(new URL(bucketUrl).origin));
  if (!isOwnBucket) unsuited(`the bucket ${bucketUrl} is not that of the feed's server`);
}

const promoteInstead = '`release:promote` gives the version to everybody at once.';

function explainForeign(tool: Tool, error: unknown): never {
  if (!(error instanceof ReleaseError)) throw error;
  const { refusal, reason } = error.details;
  if (refusal !== 'unrecorded-beta' && refusal !== 'foreign-stable') throw error;
  return refuseForeign(tool, String(reason), error);
}

/**
 * For verbs that would change a version while some machines have it.
 * @throws ReleaseError ROLLOUT_OPEN
 */
export async function refuseOpen(
  { tool }: Pick<Tool, 'tool'>,
  version: string,
  hint: (tool: string) => string,
  toolkit: OpenToolkit,
): Promise<void> {
  const rollouts = await knownRollouts(toolkit, tool);
  const open = rollouts.find(
    (one) => isOpen(one) && findAsked(version, [{ ...one, isListed: false }]) !== undefined,
  );
  if (open !== undefined)
    fail('ROLLOUT_OPEN', { tool, version: open.version, state: open.state, hint: hint(tool) });
}

/** What was imported or pushed by hand has no record, so nothing can be proved of it. @throws ReleaseError ROLLOUT_UNSUITED */
export function refuseForeign(
  tool: Pick<Tool, 'tool' | 'packageId'>,
  reason: string,
  cause?: unknown,
): never {
  const what = `A rollout of ${packageIdOf(tool)}`;
  return fail('ROLLOUT_UNSUITED', { what, reason, hint: promoteInstead }, cause);
}
