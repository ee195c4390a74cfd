import type { Found } from '../release.ts';
import { sourceOf } from '../tools.ts';

/** The name of the checksum file or of its minisign signature, as the tool's file names it for the source that was used. */
export function sidecarName(
  { tool, kind, version }: Found,
  which: 'checksums' | 'minisig',
): string | undefined {
  return kind === 'github' ? sourceOf(tool, kind)?.[which]?.replaceAll('{version}', version) : undefined;
}
