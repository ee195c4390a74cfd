import { isOpaque } from './gaps.ts';
import type { ScanResult } from './scanner.ts';

/** What a release would bring and take away, against what a branch offers now. */
export type VulnerabilityChange = {
  /**
   * `exe`: all that the exes are made of. `module`: the tool's own module only, since the exe is not here yet. `opaque`: the
   * tool's own module only, since an exe has no build info.
   */
  readonly scope: 'exe' | 'module' | 'opaque';
  readonly gained: readonly string[];
  readonly lost: readonly string[];
};

/** By id: the same vulnerability in another version of the module is not a change. */
export function compareScans(
  scope: 'exe' | 'module',
  now: ScanResult | undefined,
  then: ScanResult,
): VulnerabilityChange {
  const before = idsOf(now);
  const after = idsOf(then);
  return {
    scope: isOpaque(then.gaps) ? 'opaque' : scope,
    gained: after.filter((id) => !before.includes(id)),
    lost: before.filter((id) => !after.includes(id)),
  };
}

/** `+GO-2024-2482 -GO-2022-0969`, `+12 -3 (its own module)`, `none gained or lost`. */
export function describeChange({ scope, gained, lost }: VulnerabilityChange): string {
  const named = [...gained.map((id) => `+${id}`), ...lost.map((id) => `-${id}`)];
  const text =
    named.length === 0 ? 'same' : named.length <= 3 ? named.join(' ') : `+${gained.length} -${lost.length}`;
  if (scope === 'opaque') return `${text} (unknown: no build info, only its own module could be looked up)`;
  return scope === 'exe' ? text : `${text} (own module)`;
}

function idsOf(scan: ScanResult | undefined): readonly string[] {
  return [...new Set(scan?.findings.map(({ id }) => id) ?? [])];
}
