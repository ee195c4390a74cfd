import type { ReleaseRecord } from '../../../formats/release-record.ts';
import type { Found } from '../../release.ts';
import type { PlanRow } from '../../report/report.ts';
import { githubTag } from '../../sources/github/names.ts';
import { sourceOf, type Tool } from '../../tool-file/tools.ts';
import { requiredEvidence } from '../../tool-file/trust.ts';
import type { OpenToolkit } from '../../toolkit.ts';

/** What the branches offer of a tool before a verb acts. */
export type ReleaseState = Pick<PlanRow, 'tool' | 'main' | 'beta' | 'upstream' | 'notes'>;
type Origin = Pick<PlanRow, 'source' | 'evidence'>;

/** @param upstream the upstream version that the verb is about */
export async function readState(
  tool: Tool,
  upstream: string | undefined,
  toolkit: OpenToolkit,
): Promise<ReleaseState> {
  const { bucket } = toolkit;
  const notes = notesLink(tool, upstream, toolkit.config.githubApiUrl);
  return { tool: tool.tool, ...(await bucket.offers(tool.tool)), upstream, notes };
}

/** Where a release of ours came from, and what proved it. */
export function originOfRecord({ source, evidence }: ReleaseRecord): Origin {
  const { kind, upstream } = source;
  const passed = evidence.filter(({ verdict }) => verdict === 'passed').map((one) => one.kind);
  return { source: { kind, upstream }, evidence: [...new Set(passed)] };
}

/** Where a release is taken from, and what will be demanded of it. */
export function originOfFound({ tool, kind, upstream, version }: Found): Origin {
  return { source: { kind, upstream }, evidence: requiredEvidence(tool, kind, version) };
}

/** The page of upstream's forge about a release, with its notes; undefined for a tool that has no forge among its sources. */
export function notesLink(tool: Tool, version: string | undefined, githubApiUrl: string): string | undefined {
  const source = sourceOf(tool, 'github');
  if (source === undefined || version === undefined) return undefined;
  const tag = encodeURI(githubTag(source, version));
  return `${forgeUrl(githubApiUrl)}/${source.repository}/releases/tag/${tag}`;
}

/** What people see of the forge: the API is at `api.HOST`, on an enterprise's own server below `/api/v3`. */
function forgeUrl(apiUrl: string): string {
  const { protocol, host } = new URL(apiUrl);
  return `${protocol}//${host.replace(/^api\./, '')}`;
}
