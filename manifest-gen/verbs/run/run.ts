import { mkdtemp } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { requireKey, type Scope } from '../../publish/require-key.ts';
import type { Outcome, PlanRow } from '../../report/report.ts';
import type { Tool } from '../../tool-file/tools.ts';
import type { Request } from './request.ts';
import { attempt, type Failure, type RunResult, settled } from './run-each.ts';
import type { OpenVerbToolkit } from './toolkit.ts';

/** What a verb decided for one tool, before it changes anything. */
export type Plan = { readonly tool: Tool; readonly row: PlanRow };

/** A plan with what was built for it, and the toolkit that has the folder with these files. */
export type Built<P, B> = { readonly plan: P; readonly build: B; readonly toolkit: OpenVerbToolkit };

/** Downloads wait more than they work, and a Go build uses all cores by itself. */
const atOnce = Math.max(2, availableParallelism());

/**
 * A verb that publishes, phase by phase. What fails for one tool is in the result, and the other tools go on.
 * Each phase may throw INTERRUPTED, FEED_UNREACHABLE, BUCKET_UNREACHABLE: then nothing more is done at all.
 */
export function startRun(toolkit: OpenVerbToolkit, requests: readonly Request[]) {
  const { report, signal, done } = toolkit;
  const failures: Failure[] = [];
  const unfinished = new Set<string>();
  const run = { report, signal, failures, published: done, unfinished };
  return {
    /** Decides for all tools at once; changes nothing. */
    async plan<P extends Plan>(decide: (request: Request) => Promise<P>): Promise<readonly P[]> {
      const plans = await settled(requests, atOnce, (request) =>
        attempt(run, request.tool.tool, () => decide(request)),
      );
      return plans.filter((one) => one !== undefined);
    },

    /**
     * Shows what will be done, and makes sure that the key may do it before anything is built.
     * @param scopes undefined: nothing will be published (--dry-run)
     * @throws ReleaseError FEED_KEY_*
     */
    async show(plans: readonly Plan[], scopes: readonly Scope[] | undefined): Promise<void> {
      report.plan(plans.map(({ row }) => row));
      if (scopes === undefined) return;
      const changing = plans.filter(({ row }) => row.does !== 'nothing');
      await requireKey(
        toolkit,
        changing.map(({ tool }) => ({ tool, scopes })),
      );
      for (const { row } of changing) unfinished.add(nameOf(row));
    },

    /**
     * All that needs this machine only: of several tools at once, before the first of them publishes. Each has a folder of its own,
     * since two tools may have files of one name; versions of one tool share its files in the cache, so they take turns.
     */
    async build<P extends Plan, B>(
      plans: readonly P[],
      make: (plan: P, toolkit: OpenVerbToolkit) => Promise<B>,
    ): Promise<readonly Built<P, B>[]> {
      const tools = [...new Set(plans.map(({ tool }) => tool))];
      const built = await settled(tools, atOnce, async (tool) => {
        const ofTool: (Built<P, B> | undefined)[] = [];
        for (const plan of plans.filter((one) => one.tool === tool)) {
          const one = await attempt(run, tool.tool, async () => {
            const own = { ...toolkit, workDir: await mkdtemp(join(toolkit.workDir, 'tool-')) };
            return { plan, build: await make(plan, own), toolkit: own };
          });
          ofTool.push(one);
        }
        return ofTool;
      });
      return built
        .flat()
        .filter((one) => one !== undefined)
        .sort((a, b) => plans.indexOf(a.plan) - plans.indexOf(b.plan));
    },

    /** One tool after the other, in the order of the plan. */
    async publish<P extends Plan, B>(
      all: readonly Built<P, B>[],
      publishOne: (built: Built<P, B>) => Promise<Outcome>,
    ): Promise<RunResult> {
      const outcomes: Outcome[] = [];
      for (const built of all) {
        const { tool, row } = built.plan;
        const outcome = await attempt(run, tool.tool, () => publishOne(built));
        if (outcome === undefined) continue;
        unfinished.delete(nameOf(row));
        report.outcome(outcome);
        outcomes.push(outcome);
      }
      return { outcomes, failures: inOrder(failures, requests), published: done };
    },
  };
}

/** In the order of the request, whichever failed first. */
function inOrder(failures: readonly Failure[], requests: readonly Request[]): readonly Failure[] {
  const place = ({ tool }: Failure): number => requests.findIndex((request) => request.tool.tool === tool);
  return failures.toSorted((a, b) => place(a) - place(b));
}

function nameOf({ tool, to }: PlanRow): string {
  return `${tool} ${to}`;
}
