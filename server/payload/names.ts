import { isPrerelease, parseNuGetVersion } from '../../formats/nuget-version.ts';
import { fail } from '../errors.ts';

/** Where a payload lies: /dl/TOOL/VERSION/FILE. */
export type PayloadName = {
  readonly tool: string;
  readonly version: string;
  readonly file: string;
  /** Of the version; a key with `push:beta` may store only these. */
  readonly isPrerelease: boolean;
};

/** A tool's name is an id (spec nuget-v2 12.5) in lower case, so that one tool has one address. */
const toolName = /^[a-z0-9_]+([._-][a-z0-9_]+)*$/;
/** STEM is the command (dlv, goreleaser, buf); one exe for each architecture (contract section 3). */
const exeName = /^[a-z0-9_]+([._-][a-z0-9_]+)*-windows-(amd64|arm64)\.exe$/;

/** Whether a payload may be stored under this name. @throws FeedError PAYLOAD_INVALID */
export function readPayloadName(tool: string, version: string, file: string): PayloadName {
  const problem = problemOf(tool, version, file);
  const parsed = parseNuGetVersion(version);
  if (problem !== undefined || parsed === undefined) {
    return fail('PAYLOAD_INVALID', { problem: problem ?? `${version} is not a version` });
  }
  return { tool, version, file, isPrerelease: isPrerelease(parsed) };
}

function problemOf(tool: string, version: string, file: string): string | undefined {
  if (!toolName.test(tool) || tool.length > 100) {
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
