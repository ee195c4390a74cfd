import { parseNuGetVersion, printNormalizedVersion } from '../../formats/nuget-version.ts';
import type { ManifestText } from '../catalog/prunable.ts';

/** Versions by tool, in lower case and normalized. */
export type NamedVersions = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * All versions that manifests refer to: their own, and those in addresses of payloads, even of another tool.
 */
export function versionsIn(manifests: readonly ManifestText[]): NamedVersions {
  const found = new Map<string, Set<string>>();
  for (const { tool, version, text } of manifests) {
    add(found, tool, version);
    for (const [, of = '', spelled = ''] of text.matchAll(/\/dl\/([^/"]+)\/([^/"]+)\//gi))
      add(found, of, spelled);
  }
  return found;
}

function add(found: Map<string, Set<string>>, tool: string, spelled: string): void {
  const version = normalized(spelled);
  if (version === undefined) return;
  const name = tool.toLowerCase();
  const known = found.get(name);
  if (known === undefined) found.set(name, new Set([version]));
  else known.add(version);
}

/** As the catalog compares versions: 1.32 and 1.32.0.0 are 1.32.0 (spec nuget-v2 12.1). */
export function normalized(version: string): string | undefined {
  const parsed = parseNuGetVersion(version);
  return parsed && printNormalizedVersion(parsed).toLowerCase();
}
