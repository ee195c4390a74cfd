import type { PlanRow } from '../../report/report.ts';
import type { Tool } from '../../tool-file/tools.ts';
import type { OpenToolkit } from '../../toolkit.ts';
import { notesLink } from '../notes-link.ts';

/** What the branches offer of a tool before a verb acts. */
export type ReleaseState = Pick<PlanRow, 'tool' | 'main' | 'beta' | 'upstream' | 'notes'>;

/** @param upstream the upstream version that the verb is about */
export async function readState(
  tool: Tool,
  upstream: string | undefined,
  toolkit: OpenToolkit,
): Promise<ReleaseState> {
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
