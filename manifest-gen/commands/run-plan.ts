import type { Outcome, PlanRow } from '../report.ts';
import type { Tool } from '../tools.ts';
import type { World } from '../world.ts';
import { type Context, withContext } from './context.ts';
import type { Request } from './request.ts';
import { requireKey, type Scope } from './require-key.ts';
import { attempt, type Failure, type RunResult } from './run-each.ts';

/** What a verb decided for one tool, and changed nothing for yet. */
export type Planned = { readonly tool: Tool; readonly row: PlanRow };

/** A verb that publishes, as its parts: decide for every tool, show the plan, then do it. */
export type PlannedWork<P extends Planned> = {
  readonly resolve: (request: Request, context: Context) => Promise<P>;
  readonly act: (planned: P, context: Context) => Promise<Outcome>;
  /** What the feed's key must be allowed to do. */
  readonly scopes: readonly Scope[];
  readonly isDryRun: boolean;
};

/**
 * Decides for all tools, shows one plan, makes sure of the key, and acts, one tool after the other. What fails for one tool is in the
 * result; the others are done.
 * @throws ReleaseError INTERRUPTED, FEED_UNREACHABLE, BUCKET_UNREACHABLE, FEED_KEY_*: then nothing more is done at all
 */
export function runPlan<P extends Planned>(
  world: World,
  requests: readonly Request[],
  work: PlannedWork<P>,
): Promise<RunResult> {
  const failures: Failure[] = [];
  return withContext(world, async (context) => {
    const unfinished = new Set<string>();
    const run = { ...world, failures, published: context.published, unfinished };
    const outcomes: Outcome[] = [];
    const plan: P[] = [];
    for (const request of requests) {
      const planned = await attempt(run, request.tool.tool, () => work.resolve(request, context));
      if (planned !== undefined) plan.push(planned);
    }
    world.report.plan(plan.map(({ row }) => row));
    const changing = plan.filter(({ row }) => row.does !== 'nothing');
    if (!work.isDryRun) {
      await requireKey(
        context,
        changing.map(({ tool }) => ({ tool, scopes: work.scopes })),
      );
      for (const { row } of changing) unfinished.add(nameOf(row));
    }
    for (const planned of plan) {
      const outcome = await attempt(run, planned.tool.tool, () => work.act(planned, context));
      if (outcome === undefined) continue;
      unfinished.delete(nameOf(planned.row));
      world.report.outcome(outcome);
      outcomes.push(outcome);
    }
    return { outcomes, failures, published: context.published };
  });
}

function nameOf({ tool, to }: PlanRow): string {
  return `${tool} ${to}`;
}
