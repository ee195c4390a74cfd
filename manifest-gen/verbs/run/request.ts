import { compare, parse, valid } from 'semver';
import { fail } from '../../../errors/release-error.ts';
import { parseNuGetVersion } from '../../../formats/nuget-version.ts';
import type { Tool } from '../../tool-file/tools.ts';
import { isPlainVersion } from '../../tool-file/version-rules.ts';
import { ownPackages } from '../own-packages.ts';

/** What a person asked for: a tool, and perhaps which version, as they wrote it without the v. */
export type Request = { readonly tool: Tool; readonly version: string | undefined };

/**
 * `delve`, `delve@1.22.0`, `delve@v1.22.0`; nothing at all means every tool. A tool named twice is one with two versions.
 * @throws ReleaseError USAGE, TOOL_UNKNOWN, before anything is done for the others: it is a typing error
 */
export function readRequests(args: readonly string[], tools: readonly Tool[]): readonly Request[] {
  if (args.length === 0) return tools.map((tool) => ({ tool, version: undefined }));
  const requests = new Map<string, Request>();
  for (const arg of args) {
    const { name, version } = splitArg(arg);
    if (!/^[A-Za-z0-9][\w.-]*$/.test(name))
      fail('USAGE', { problem: `"${arg}" names no tool: write TOOL or TOOL@VERSION, such as delve@1.22.0.` });
    if (version === '') fail('USAGE', { problem: `${arg} names no version after the @` });
    if (version !== undefined && parseNuGetVersion(version) === undefined)
      fail('USAGE', { problem: `${version} is not a version: write three numbers, such as ${name}@1.22.0.` });
    const tool = tools.find((one) => one.tool === name);
    if (tool === undefined) refuseUnknown(name, tools);
    requests.set(`${name}@${version ?? ''}`, { tool, version });
  }
  return inOrder([...requests.values()]);
}

/** A package's id is easily mistaken for the tool's name, since choco and the feed show only the id. */
function refuseUnknown(name: string, tools: readonly Tool[]): never {
  const own = ownPackages.find(({ tool }) => tool === name);
  if (own !== undefined) fail('TOOL_MADE_HERE', { tool: name, what: own.what, hint: own.hint });
  fail('TOOL_UNKNOWN', {
    tool: name,
    known: tools.map((one) => one.tool).join(', '),
    hint: hintFor(name, tools),
  });
}

function hintFor(name: string, tools: readonly Tool[]): string {
  const low = name.toLowerCase();
  if (tools.some(({ tool }) => tool === low)) return `The names of tools are in lower case: ${low}.`;
  const owner = tools.find(({ packageId }) => packageId?.toLowerCase() === low);
  return owner === undefined
    ? `Add a file ${low}.yaml to your folder of tools (TOOLS_DIR, in place of the product's own), or name another tool.`
    : `${name} is a package; name its tool, ${owner.tool}.`;
}

/** `delve` and `1.22.0` of `delve@v1.22.0`. */
export function splitArg(arg: string): { readonly name: string; readonly version: string | undefined } {
  const at = arg.indexOf('@', 1);
  if (at < 0) return { name: arg, version: undefined };
  return { name: arg.slice(0, at), version: arg.slice(at + 1).replace(/^v(?=\d)/, '') };
}

/** Upstream's version that is to be released. @throws ReleaseError VERSION_NOT_TAKEN, VERSION_UNKNOWN */
export function requireUpstreamVersion({ tool, version }: Request): string | undefined {
  if (version === undefined) return undefined;
  if (isPlainVersion(version)) return version;
  const prerelease = parse(version)?.prerelease ?? [];
  if (prerelease.length > 0) {
    const reason = `upstream's prereleases are not released; name a stable one such as ${version.replace(/-.*$/, '')}`;
    fail('VERSION_NOT_TAKEN', { tool: tool.tool, version, reason });
  }
  fail('VERSION_UNKNOWN', {
    tool: tool.tool,
    version,
    looked: 'its versions are three numbers, such as 1.22.0',
  });
}

/** Several versions of one tool go from old to new: a branch only moves up. */
function inOrder(requests: readonly Request[]): readonly Request[] {
  const tools = [...new Set(requests.map((one) => one.tool))];
  return tools.flatMap((tool) =>
    requests
      .filter((one) => one.tool === tool)
      .sort((a, b) => (valid(a.version) && valid(b.version) ? compare(a.version ?? '', b.version ?? '') : 0)),
  );
}
