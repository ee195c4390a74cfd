import { fail } from '../errors.ts';
import { objectionTo, planPromotion } from '../promote/plan.ts';
import { listVersions } from '../publish/feed-client.ts';
import { type Released, readReleased } from '../publish/released.ts';
import { loadTemplates, type Templates } from '../render/templates.ts';
import type { PlanRow } from '../report.ts';
import type { Tool } from '../tools.ts';
import { compareLooks } from '../vulnerabilities/change.ts';
import type { Look } from '../vulnerabilities/watch.ts';
import type { Context } from './context.ts';
import { lookAtOffer, lookAtReleased } from './offered.ts';
import type { Request } from './request.ts';

/** A promotion that may be done, or one with nothing to do. */
export type Planned = {
  readonly tool: Tool;
  readonly row: PlanRow;
  readonly ready?: Ready;
};
export type Ready = {
  readonly tool: Tool;
  readonly stable: string;
  readonly beta: Released & { readonly record: NonNullable<Released['record']> };
  /** The stable package, when it is on the feed already. */
  readonly published: Released | undefined;
  readonly templates: Templates;
  /** What is known of the beta's exe; undefined when nobody looks. */
  readonly look: Look | undefined;
};

/**
 * Opens the packages that matter and decides; changes nothing.
 * @throws ReleaseError NOTHING_PUBLISHED_HERE, PROMOTION_REFUSED, FEED_*
 */
export async function resolvePromotion(
  { tool, version: asked }: Request,
  context: Context,
): Promise<Planned> {
  const { feed, bucket, world } = context;
  const packages = await listVersions(feed, tool.packageId ?? tool.tool);
  const main = await bucket.version('main', tool.tool);
  const promotion = planPromotion({ asked, packages, main });
  if (promotion.kind === 'missing')
    fail('NOTHING_PUBLISHED_HERE', { tool: tool.tool, problem: promotion.problem });
  if (promotion.kind === 'refused') refuse(tool, promotion.version, promotion.reason);
  const common = { tool: tool.tool, from: main };
  if (promotion.kind === 'nothing') {
    const { version: to, why } = promotion;
    return { tool, row: { ...common, to, source: '', evidence: [], does: 'nothing', why } };
  }
  const read = async (version: string): Promise<Released | undefined> => {
    const pkg = packages.find((one) => one.version === version);
    return pkg && (await readReleased(feed, world.cache, pkg));
  };
  const { stable } = promotion;
  const beta = await read(promotion.beta);
  const published = promotion.isPublished ? await read(stable) : undefined;
  if (published !== undefined && published.record === undefined) {
    refuse(tool, stable, 'the feed has a package of this version that was made by somebody else');
  }
  const objection = objectionTo(beta?.record, published?.record);
  if (objection !== undefined || beta?.record === undefined) return refuse(tool, stable, objection ?? '');

  const { record } = beta;
  const passed = record.evidence.filter(({ verdict }) => verdict === 'passed').map(({ kind }) => kind);
  const look = await lookAtReleased(tool, beta, context);
  const row: PlanRow = {
    ...common,
    to: stable,
    source: `${record.source.kind}: ${record.source.upstream}`,
    evidence: [...new Set(passed)],
    does: published === undefined ? 'promote' : 'finish',
    why: published === undefined ? `from ${beta.version}` : 'the feed has it, main does not offer it yet',
    ...(look === undefined
      ? {}
      : { vulnerabilities: compareLooks('exe', await lookAtOffer('main', tool, context), look) }),
  };
  const templates = await loadTemplates(world, tool);
  return { tool, row, ready: { tool, stable, beta: { ...beta, record }, published, templates, look } };
}

function refuse(tool: Tool, version: string, reason: string): never {
  fail('PROMOTION_REFUSED', { tool: tool.tool, version, reason });
}
