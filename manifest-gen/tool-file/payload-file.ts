import type { Architecture } from '../../formats/release-record.ts';
import type { Tool } from './tools.ts';

/** The name at /dl/TOOL/VERSION/, whatever upstream called it: `dlv-windows-amd64.exe` (contract section 3). */
export function payloadFile(tool: Tool, architecture: Architecture): string {
  return `${tool.command}-windows-${architecture}.exe`;
}

/** The program's name on a user's disk: `dlv.exe`. */
export function exeName(tool: Tool): string {
  return `${tool.command}.exe`;
}
