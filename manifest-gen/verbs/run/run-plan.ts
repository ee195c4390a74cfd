import { mkdtemp } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { requireKey, type Scope } from '../../publish/require-key.ts';
import type { Outcome, PlanRow } from '../../report/report.ts';
import type { Tool } from '../../tool-file/tools.ts';
import type { Request } from './request.ts';
import { attempt, type Failure, type Run, type RunResult } from './run-each.ts';
import { settled } from './settled.ts';
import type { OpenVerbToolkit, VerbToolkit } from './toolkit.ts';
import { withFeed } from './with-feed.ts';

/** What a verb decided for one tool, before it changes anything. */
export type Planned = { readonly tool: Tool; readonly row: PlanRow };

/** A verb that publishes, as its parts: decide for every tool, show the plan, make everything locally, then publish. */
export type PlannedWork<P extends Planned, Made> = {
  readonly resolve: (request: Request, toolkit: OpenVerbToolkit) => Promise<P>;
  /** All that needs this machine only: of several tools at once, before the first of them publishes. */
  readonly prepare: (planned: P, toolkit: OpenVerbToolkit) => Promise<Made>;
  /** Publishes: one tool after the other, in the order of the plan. */
  readonly act: (planned: P, made: Made, toolkit: OpenVerbToolkit) => Promise<Outcome>;
  /** What the feed's key must be allowed to do. */
  readonly scopes: readonly Scope[];
  readonly isDryRun: boolean;
};

/** Downloads wait more than they work, and a Go build uses all cores by itself. */
const atOnce = Math.max(2, availableParallelism());

/**
 * Decides for all tools, shows one plan, checks the key, prepares all, and publishes one tool after the other. A failure of one
 * tool is in the result; the others go on.
 * @throws ReleaseError INTERRUPTED, FEED_UNREACHABLE, BUCKET_UNREACHABLE, FEED_KEY_*: then nothing more is done at all
 */
export function runPlan<P extends Planned, Made>(
  toolkit: VerbToolkit,
  requests: readonly Request[],
  work: PlannedWork<P, Made>,
): Promise<RunResult> {
  const failures: Failure[] = [];
  return withFeed(toolkit, async (toolkit) => {
    const unfinished = new Set<string>();
    const run = { ...toolkit, failures, published: toolkit.done, unfinished };
    const outcomes: Outcome[] = [];
    const resolved = await settled(requests, atOnce, (request) =>
      attempt(run, request.tool.tool, () => work.resolve(request, toolkit)),
    );
    const plan = resolved.filter((one) => one !== undefined);
    toolkit.report.plan(plan.map(({ row }) => row));
    const changing = plan.filter(({ row }) => row.does !== 'nothing');
    if (!work.isDryRun) {
      await requireKey(
        toolkit,
        changing.map(({ tool }) => ({ tool, scopes: work.scopes })),
      );
      for (const { row } of changing) unfinished.add(nameOf(row));
    }
    for (const publish of await prepareAll(run, plan, work, toolkit)) {
      const { planned, act } = publish;
      const outcome = await attempt(run, planned.tool.tool, act);
      if (outcome === undefined) continue;
      unfinished.delete(nameOf(planned.row));
      toolkit.report.outcome(outcome);
      outcomes.push(outcome);
    }
    return { outcomes, failures: inOrder(failures, requests), published: toolkit.done };
  });
}

type Prepared<P> = { readonly planned: P; readonly act: () => Promise<Outcome> };

/** Without those that failed. Each has its own folder, since two tools may have files of the same name. */
async function prepareAll<P extends Planned, Made>(
  run: Run,
  plan: readonly P[],
  work: PlannedWork<P, Made>,
  toolkit: OpenVerbToolkit,
): Promise<readonly Prepared<P>[]> {
  const prepareOne = (planned: P): Promise<Prepared<P> | undefined> =>
    attempt(run, planned.tool.tool, async () => {
      const own = { ...toolkit, workDir: await mkdtemp(join(toolkit.workDir, 'tool-')) };
      const made = await work.prepare(planned, own);
      return { planned, act: () => work.act(planned, made, own) };
    });
  // versions of one tool share its files in the cache, so they take turns
  const tools = [...new Set(plan.map(({ tool }) => tool))];
  const prepared = await settled(tools, atOnce, async (tool) => {
    const ofTool: Prepared<P>[] = [];
    for (const planned of plan.filter((one) => one.tool === tool)) {
      const one = await prepareOne(planned);
      if (one !== undefined) ofTool.push(one);
    }
    return ofTool;
  });
  return prepared.flat().sort((a, b) => plan.indexOf(a.planned) - plan.indexOf(b.planned));
}

/** In the order of the request, whichever failed first. */
function inOrder(failures: readonly Failure[], requests: readonly Request[]): readonly Failure[] {
  const place = ({ tool }: Failure): number => requests.findIndex((request) => request.tool.tool === tool);
  return failures.toSorted((a, b) => place(a) - place(b));
}

function nameOf({ tool, to }: PlanRow): string {
  return `${tool} ${to}`;
}
