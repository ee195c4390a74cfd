import { mkdtemp } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { inSpan } from '../../../tracing/spans.ts';
import { requireKey, type Scope } from '../../publish/require-key.ts';
import type { Outcome, PlanRow } from '../../report/report.ts';
import type { Tool } from '../../tool-file/tools.ts';
import type { Request } from './request.ts';
import { attempt, type Failure, type Run, type RunResult, settled } from './run-each.ts';
import type { OpenVerbToolkit } from './toolkit.ts';

/** What a verb decided for one tool, before it changes anything. */
export type Plan = { readonly tool: Tool; readonly row: PlanRow };

/** A verb that publishes, phase by phase; each gets the options of the verb. */
export type Phases<P extends Plan, B, Options> = {
  /** Decides for one tool; changes nothing. */
  readonly plan: (request: Request, options: Options, toolkit: OpenVerbToolkit) => Promise<P>;
  /** What the key must be allowed to do. */
  readonly scopes: (plan: P) => readonly Scope[];
  /** All that needs this machine only. */
  readonly build: (plan: P, options: Options, toolkit: OpenVerbToolkit) => Promise<B>;
  readonly publish: (plan: P, build: B, options: Options, toolkit: OpenVerbToolkit) => Promise<Outcome>;
};

/** A plan with what was built for it, and the toolkit that has the folder with these files. */
type Built<P, B> = { readonly plan: P; readonly built: B; readonly toolkit: OpenVerbToolkit };

/** Downloads wait more than they work, and a Go build uses all cores by itself. */
const atOnce = Math.max(2, availableParallelism());

/**
 * Plans for all tools at once, shows what will be done, and makes sure that the key may do it before anything is built; builds
 * all of them before the first is published; publishes one tool after the other, in the order of the plan. What fails for one
 * tool is in the result, and the other tools go on.
 * @throws ReleaseError INTERRUPTED, FEED_UNREACHABLE, BUCKET_UNREACHABLE, FEED_KEY_*: then nothing more is done at all
 */
export async function runPhases<P extends Plan, B, Options extends { readonly dryRun?: boolean }>(
  toolkit: OpenVerbToolkit,
  requests: readonly Request[],
  options: Options,
  phases: Phases<P, B, Options>,
): Promise<RunResult> {
  const { report, signal, done } = toolkit;
  const failures: Failure[] = [];
  const unfinished = new Set<string>();
  const run = { report, signal, failures, published: done, unfinished };
  const planned = await settled(requests, atOnce, (request) =>
    attempt(run, request.tool.tool, () =>
      inSpan('plan', () => phases.plan(request, options, toolkit), about(request)),
    ),
  );
  const plans = planned.filter((one) => one !== undefined);
  report.plan(plans.map(({ row }) => row));
  if (!options.dryRun) {
    const changing = plans.filter(({ row }) => row.does !== 'nothing');
    const needs = changing.map((plan) => ({ tool: plan.tool, scopes: phases.scopes(plan) }));
    await requireKey(toolkit, needs);
    for (const { row } of changing) unfinished.add(nameOf(row));
  }
  const outcomes: Outcome[] = [];
  const build = (plan: P, own: OpenVerbToolkit): Promise<B> =>
    inSpan('build', () => phases.build(plan, options, own), about(plan));
  for (const { plan, built, toolkit: own } of await buildAll(run, plans, build, toolkit)) {
    const outcome = await attempt(run, plan.tool.tool, () =>
      inSpan('publish', () => phases.publish(plan, built, options, own), about(plan)),
    );
    if (outcome === undefined) continue;
    unfinished.delete(nameOf(plan.row));
    report.outcome(outcome);
    outcomes.push(outcome);
  }
  return { outcomes, failures: inOrder(failures, requests), published: done };
}

/**
 * Of several tools at once. Each has a folder of its own, since two tools may have files of one name; versions of one tool share
 * its files in the cache, so they take turns.
 */
async function buildAll<P extends Plan, B>(
  run: Run,
  plans: readonly P[],
  build: (plan: P, toolkit: OpenVerbToolkit) => Promise<B>,
  toolkit: OpenVerbToolkit,
): Promise<readonly Built<P, B>[]> {
  const tools = [...new Set(plans.map(({ tool }) => tool))];
  const all = await settled(tools, atOnce, async (tool) => {
    const ofTool: (Built<P, B> | undefined)[] = [];
    for (const plan of plans.filter((one) => one.tool === tool)) {
      const one = await attempt(run, tool.tool, async () => {
        const own = { ...toolkit, workDir: await mkdtemp(join(toolkit.workDir, 'tool-')) };
        return { plan, built: await build(plan, own), toolkit: own };
      });
      ofTool.push(one);
    }
    return ofTool;
  });
  return all
    .flat()
    .filter((one) => one !== undefined)
    .sort((a, b) => plans.indexOf(a.plan) - plans.indexOf(b.plan));
}

/** For traces. */
const about = ({ tool }: { readonly tool: Tool }) => ({ 'gwt.tool': tool.tool });

/** In the order of the request, whichever failed first. */
function inOrder(failures: readonly Failure[], requests: readonly Request[]): readonly Failure[] {
  const place = ({ tool }: Failure): number => requests.findIndex((request) => request.tool.tool === tool);
  return failures.toSorted((a, b) => place(a) - place(b));
}

function nameOf({ tool, to }: PlanRow): string {
  return `${tool} ${to}`;
}
