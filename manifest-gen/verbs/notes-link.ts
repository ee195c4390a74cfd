import { githubTag } from '../sources/github/names.ts';
import { sourceOf, type Tool } from '../tool-file/tools.ts';

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
