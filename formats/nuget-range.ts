import { compareNuGetVersions, isSemVer2, type NuGetVersion, parseNuGetVersion } from './nuget-version.ts';

/** Which versions a dependency accepts: `1.0` (that or newer), `[1.0]`, `[1.0,2.0)`, `(,2.0]`. A missing end means no limit. */
export type NuGetRange = {
  readonly min?: NuGetVersion;
  readonly isMinIncluded: boolean;
  readonly max?: NuGetVersion;
  readonly isMaxIncluded: boolean;
};

/** Room for two of the longest versions and the punctuation between them. */
const maxLength = 520;

/**
 * Parses interval notation (spec nuget-v2 13). Undefined when it is invalid or when no version could match. Floating versions
 * (`1.*`) are invalid: dependencies in a package cannot have them.
 */
export function parseNuGetRange(text: string): NuGetRange | undefined {
  if (text.length > maxLength) return undefined;
  const trimmed = text.trim();
  const interval = /^([[(])([^[\]()]*)([\])])$/.exec(trimmed);
  if (interval === null) {
    const min = parseNuGetVersion(trimmed);
    return min === undefined ? undefined : { min, isMinIncluded: true, isMaxIncluded: false };
  }
  const [, open, inside = '', close] = interval;
  const [low = '', high, ...rest] = inside.split(',');
  const min = parseEnd(low);
  const max = high === undefined ? min : parseEnd(high);
  if (rest.length > 0 || min === 'invalid' || max === 'invalid') return undefined;
  if (high === undefined && min === undefined) return undefined;
  const isMinIncluded = open === '[';
  const isMaxIncluded = close === ']';
  if (isEmpty(min, isMinIncluded, max, isMaxIncluded)) return undefined;
  return {
    ...(min && { min }),
    isMinIncluded: min !== undefined && isMinIncluded,
    ...(max && { max }),
    isMaxIncluded: max !== undefined && isMaxIncluded,
  };
}

export function rangeIncludes(range: NuGetRange, version: NuGetVersion): boolean {
  if (range.min !== undefined) {
    const order = compareNuGetVersions(version, range.min);
    if (order < 0 || (order === 0 && !range.isMinIncluded)) return false;
  }
  if (range.max !== undefined) {
    const order = compareNuGetVersions(version, range.max);
    if (order > 0 || (order === 0 && !range.isMaxIncluded)) return false;
  }
  return true;
}

/**
 * The shortest spelling; versions stay as they were written. The range of all versions is `(,)`, which no feed may send (spec
 * nuget-v2 13).
 */
export function printNuGetRange(range: NuGetRange): string {
  const { min, max } = range;
  if (min !== undefined && max === undefined && range.isMinIncluded) return min.original;
  if (min !== undefined && min.original === max?.original) return `[${min.original}]`;
  const open = range.isMinIncluded ? '[' : '(';
  const close = range.isMaxIncluded ? ']' : ')';
  return `${open}${min?.original ?? ''},${max?.original ?? ''}${close}`;
}

/** Whether the range makes the package that depends on it a SemVer 2 package (spec nuget-v2 12.3). */
export function rangeNeedsSemVer2(range: NuGetRange): boolean {
  return [range.min, range.max].some((end) => end !== undefined && isSemVer2(end));
}

/** Whether it contains every version, and so means nothing. */
export function isEveryVersion(range: NuGetRange): boolean {
  return range.min === undefined && range.max === undefined;
}

function parseEnd(text: string): NuGetVersion | undefined | 'invalid' {
  return text.trim() === '' ? undefined : (parseNuGetVersion(text) ?? 'invalid');
}

function isEmpty(
  min: NuGetVersion | undefined,
  isMinIncluded: boolean,
  max: NuGetVersion | undefined,
  isMaxIncluded: boolean,
): boolean {
  if (min === undefined || max === undefined) return false;
  const order = compareNuGetVersions(min, max);
  return order > 0 || (order === 0 && !(isMinIncluded && isMaxIncluded));
}
