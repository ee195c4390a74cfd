import { isWindowsName } from './windows-name.ts';

/** An id (spec nuget-v2 12.5) in lower case, so that each tool has one address. */
const pattern = /^[a-z0-9_]+([._-][a-z0-9_]+)*$/;
/** `/m/c/` and `/m/beta/` begin other addresses (contract section 9). */
const taken: ReadonlySet<string> = new Set(['c', 'beta']);

/** Whether payloads may be stored under this name of a tool. */
export function isPayloadTool(tool: string): boolean {
  return pattern.test(tool) && tool.length <= 100;
}

/**
 * Whether a release of a tool with this name can be published: its payloads, `bucket/TOOL.json`, the tag `TOOL/vVERSION` (git
 * refuses names that end in `.lock`) and `/m/TOOL.json`.
 */
export function isToolName(tool: string): boolean {
  return (
    isPayloadTool(tool) &&
    /^[a-z0-9]/.test(tool) &&
    !tool.endsWith('.lock') &&
    !taken.has(tool) &&
    isWindowsName(tool)
  );
}

/** Whether a release can have its tag `TOOL/vVERSION`. */
export function isReleaseName({
  tool,
  version,
}: {
  readonly tool: string;
  readonly version: string;
}): boolean {
  return isToolName(tool) && /^[0-9A-Za-z.+-]{1,100}$/.test(version) && !/\.lock$/i.test(version);
}
