import { fail } from '../../../errors/release-error.ts';
import { readDuration } from '../../../formats/duration.ts';
import { compareScans } from '../../../vulnerabilities/change.ts';
import type { ScanResult } from '../../../vulnerabilities/scanner.ts';
import { scanOffered, scanReleased } from '../../build/scan.ts';
import { isOldEnough } from '../../plan/newest-allowed.ts';
import { objectionTo, planPromotion } from '../../plan/promotion.ts';
import type { Refusal } from '../../plan/reason.ts';
import { readReleaseVersion } from '../../plan/release-version.ts';
import { askReleasedBy, type ReleasedBy } from '../../published/feed/audit-log.ts';
import { isOurs, type Released } from '../../published/published.ts';
import { inWords, noBetaInWords } from '../../report/reasons.ts';
import type { PlanRow } from '../../report/report.ts';
import type { Unproven } from '../../reverify/prove.ts';
import { loadTemplates } from '../../tool-file/templates.ts';
import type { Tool } from '../../tool-file/tools.ts';
import { isPlainVersion } from '../../tool-file/version-rules.ts';
import type { OpenToolkit } from '../../toolkit.ts';
import type { Request } from '../run/request.ts';
import { originOfRecord, readState } from './release-state.ts';

/** A beta that becomes stable. */
export type Ready = Unproven & {
  /** The stable package, when it is on the feed already. */
  readonly existing: Released | undefined;
  /** Why, where that is to be remembered: in the commit and in the audit log. */
  readonly reason?: string | undefined;
};

/** A promotion that is allowed, or one with nothing to do. */
export type PromotionPlan = {
  readonly tool: Tool;
  readonly row: PlanRow;
  readonly ready?: Ready;
  /** Known vulnerabilities of the beta's exe; undefined without a scan. */
  readonly scan?: ScanResult | undefined;
};

/** Why a beta need not be as old as the tool file demands, and why its evidence is not repeated; undefined where neither is skipped. */
export type Skipped = { readonly skipMinAge?: string | undefined; readonly skipVerify?: string | undefined };

/**
 * Opens the packages that matter and decides; changes nothing.
 * @throws ReleaseError NOTHING_PUBLISHED_HERE, PROMOTION_REFUSED, PROMOTION_TOO_YOUNG, FEED_*
 */
export async function planPromotionOf(
  { tool, version: asked }: Request,
  { skipMinAge, skipVerify }: Skipped,
  toolkit: OpenToolkit,
): Promise<PromotionPlan> {
  const { published, bucket } = toolkit;
  const packages = await published.versions(tool);
  const main = await bucket.version('main', tool.tool);
  const promotion = planPromotion({ asked, packages, main, versions: tool.versions });
  if (promotion.kind === 'missing') {
    const problem = noBetaInWords(asked, tool.versions);
    const hint = howToGet(tool, asked, promotion.betas);
    fail('NOTHING_PUBLISHED_HERE', { tool: tool.tool, problem, hint });
  }
  if (promotion.kind === 'refused') refuse(tool, promotion.version, promotion.reason);
  if (promotion.kind === 'nothing') {
    const { version: to, reason: why } = promotion;
    const state = await readState(tool, readReleaseVersion(to)?.upstream, toolkit);
    const row = { ...state, from: main, to, source: undefined, evidence: [], does: 'nothing', why } as const;
    return { tool, row };
  }
  const read = (version: string) => published.release(tool, version);
  const { stable } = promotion;
  const beta = await read(promotion.beta);
  const existing = promotion.isPublished ? await read(stable) : undefined;
  if (existing !== undefined && existing.record === undefined) {
    refuse(tool, stable, { code: 'foreign-stable' });
  }
  const refusal = objectionTo(beta?.record, existing?.record);
  if (refusal !== undefined) refuse(tool, stable, refusal);
  if (!isOurs(beta)) return refuse(tool, stable, { code: 'unrecorded-beta' });

  if (existing === undefined && skipMinAge === undefined) {
    const pkg = packages.find(({ version }) => version === promotion.beta);
    requireAge(tool, stable, promotion.beta, pkg?.published, toolkit.now());
  }
  const scan = await scanReleased(tool, beta, toolkit);
  const row: PlanRow = {
    releasedBy: await findReleasedBy(tool, beta.version, toolkit),
    ...(await readState(tool, beta.record.source.version, toolkit)),
    from: main,
    to: stable,
    ...originOfRecord(beta.record),
    ...(existing === undefined
      ? { does: 'promote', why: { code: 'from', beta: beta.version } }
      : { does: 'finish', why: { code: 'unfinished', branch: 'main' } }),
    vulnerabilities: scan && compareScans('exe', await scanOffered(tool, toolkit), scan),
  };
  const flags = [skipMinAge && '--now', skipVerify && '--skip-verify'].filter(Boolean);
  const reason =
    flags.length === 0 ? undefined : `promoted with ${flags.join(' and ')}: ${skipMinAge ?? skipVerify}`;
  const templates = await loadTemplates(toolkit, tool);
  const ready = { tool, stable, beta, existing, templates, reason };
  return { tool, row, ready, scan };
}

/** Only our own server has such a log. Parts by other keys are not wrong by themselves, but a person has to know. */
async function findReleasedBy(
  { tool, packageId: id = tool }: Tool,
  version: string,
  toolkit: OpenToolkit,
): Promise<ReleasedBy | undefined> {
  const { feed, endpoints } = toolkit;
  if (!endpoints.isOwnServer) return undefined;
  const by = await askReleasedBy(feed, { id, tool, version });
  if (by === undefined) toolkit.report.warn(tool, `the server does not know who released ${version}`);
  for (const { what, key } of by?.others ?? [])
    toolkit.report.warn(tool, `${version} was pushed with the key ${by?.key}, ${what} of it with ${key}`);
  return by;
}

/** Everybody gets only versions that testers had time to try. A beta's age is that of its package on the feed. */
function requireAge(tool: Tool, version: string, beta: string, published: Date | undefined, now: Date): void {
  if (tool.minAge === undefined || isOldEnough(published, tool, now)) return;
  const hours = published && Math.max(0, Math.floor((now.getTime() - published.getTime()) / 3_600_000));
  const until = published && new Date(published.getTime() + (readDuration(tool.minAge) ?? 0));
  fail('PROMOTION_TOO_YOUNG', {
    tool: tool.tool,
    version,
    beta,
    expected: tool.minAge,
    found: hours === undefined ? 'no date on the feed' : `${hours}h`,
    wait: until === undefined ? 'Wait' : `Wait until ${until.toISOString()}`,
  });
}

/** Existing versions come first: a missing version is mostly a typing error. */
function howToGet({ tool }: Tool, asked: string | undefined, betas: readonly string[]): string {
  const wanted = asked !== undefined && isPlainVersion(asked) ? `${tool}@${asked}` : tool;
  if (betas.length === 0) return `Run \`release:beta ${wanted}\` first.`;
  return `Its newest there: ${betas.slice(0, 3).join(', ')}. \`release:beta ${wanted}\` makes another.`;
}

function refuse(tool: Tool, version: string, refusal: Refusal): never {
  fail('PROMOTION_REFUSED', { tool: tool.tool, version, reason: inWords(refusal), refusal: refusal.code });
}
