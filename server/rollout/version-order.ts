import { compareVersionTexts, isPrerelease, parseNuGetVersion } from '../../formats/nuget-version.ts';

/** By NuGet's order; everything is above nothing. A version that cannot be read is above none. */
export function isAbove(version: string, other: string | undefined): boolean {
  return other === undefined || (compareVersionTexts(version, other) ?? 0) > 0;
}

/** Whether a stable version may be a correction of another: the same upstream version, and higher (contract section 6). */
export function isCorrectionOf(version: string, corrected: string): boolean {
  return isHigherOfSame(version, corrected) && !isPrereleaseText(version);
}

/** `1.22.0.1-beta.1` of `1.22.0`. */
export function isBetaOfCorrection(version: string, corrected: string): boolean {
  return isHigherOfSame(version, corrected) && isPrereleaseText(version);
}

function isHigherOfSame(version: string, other: string): boolean {
  const [one, two] = [parseNuGetVersion(version), parseNuGetVersion(other)];
  if (one === undefined || two === undefined) return false;
  return [0, 1, 2].every((at) => one.numbers[at] === two.numbers[at]) && one.numbers[3] > two.numbers[3];
}

function isPrereleaseText(text: string): boolean {
  const version = parseNuGetVersion(text);
  return version !== undefined && isPrerelease(version);
}

/** Whether a version is a beta of another: `1.22.0.1-beta.1` of `1.22.0.1`. */
export function isBetaOf(version: string, stable: string): boolean {
  const [one, two] = [parseNuGetVersion(version), parseNuGetVersion(stable)];
  if (one === undefined || two === undefined || one.labels.length === 0) return false;
  return one.numbers.every((number, at) => number === two.numbers[at]);
}
