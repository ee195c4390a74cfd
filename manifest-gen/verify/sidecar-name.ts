import type { Found } from '../release.ts';

/** The name of the checksum file or of its minisign signature, as the tool's file names it for the source that was used. */
export function sidecarName(
  { tool, kind, version }: Found,
  which: 'checksums' | 'minisig',
): string | undefined {
  const source = tool.sources.find((one) => one.kind === kind);
  return source?.kind === 'github' ? source[which]?.replaceAll('{version}', version) : undefined;
}
