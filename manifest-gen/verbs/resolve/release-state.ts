import type { PlanRow } from '../../report/report.ts';
import type { Tool } from '../../tool-file/tools.ts';
import type { OpenToolkit } from '../../toolkit.ts';
import { notesLink } from '../notes-link.ts';

/** The state of a tool before a verb acts: the facts in its plan. */
export type ToolStanding = Pick<PlanRow, 'tool' | 'main' | 'beta' | 'upstream' | 'notes'>;

/** @param upstream the upstream version that the verb is about */
export async function standingOf(
  tool: Tool,
  upstream: string | undefined,
  toolkit: OpenToolkit,
): Promise<ToolStanding> {
  const { bucket } = toolkit;
  const notes = notesLink(tool, upstream, toolkit.config.githubApiUrl);
  return {
    tool: tool.tool,
    main: await bucket.version('main', tool.tool),
    beta: await bucket.version('beta', tool.tool),
    upstream,
    ...(notes === undefined ? {} : { notes }),
  };
}
