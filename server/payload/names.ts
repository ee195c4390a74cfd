import { isPrerelease, parseNuGetVersion } from '../../formats/nuget-version.ts';
import { isPayloadTool } from '../../formats/tool-name.ts';
import { fail } from '../errors.ts';

/** The address of a payload: /dl/TOOL/VERSION/FILE. */
export type PayloadName = {
  readonly tool: string;
  readonly version: string;
  readonly file: string;
};

/** STEM is the command (dlv, goreleaser, buf); one exe for each architecture (contract section 3). */
const exeName = /^[a-z0-9_]+([._-][a-z0-9_]+)*-windows-(amd64|arm64)\.exe$/;

/** Checks that a payload may be stored under this name. @throws FeedError PAYLOAD_INVALID */
export function readPayloadName(tool: string, version: string, file: string): PayloadName {
  const problem = problemOf(tool, version, file);
  if (problem !== undefined || parseNuGetVersion(version) === undefined) {
    return fail('PAYLOAD_INVALID', { problem: problem ?? `${version} is not a version` });
  }
  return { tool, version, file };
}

/**
 * The scope that storing a payload of this version needs (contract section 3); an invalid version is refused by
 * `readPayloadName`.
 */
export function scopeFor(version: string): 'push' | 'push:beta' {
  const parsed = parseNuGetVersion(version);
  return parsed === undefined || isPrerelease(parsed) ? 'push:beta' : 'push';
}

function problemOf(tool: string, version: string, file: string): string | undefined {
  if (!isPayloadTool(tool)) {
    return 'a tool is named in lower-case letters, digits and single . _ - between them';
  }
  if (!/^[0-9A-Za-z.-]{1,64}$/.test(version)) {
    return 'a version looks like 1.22.0 or 1.22.0-beta.1';
  }
  if (file !== `${tool}.cdx.json` && !(exeName.test(file) && file.length <= 100)) {
    return `a file is named COMMAND-windows-amd64.exe, COMMAND-windows-arm64.exe or ${tool}.cdx.json`;
  }
  return undefined;
}
