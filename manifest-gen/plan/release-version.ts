import { compareVersionTexts } from '../../formats/nuget-version.ts';

/**
 * One package version in the history of a package (contract section 6): of upstream's U come `U-beta.1`, `U-beta.2` ... and `U`,
 * then corrections `U.1-beta.1` ... `U.1`, `U.2-beta.1` and so on. All of them together are the family of U.
 */
export type ReleaseVersion = {
  readonly version: string;
  /** Upstream's version, three numbers: U. */
  readonly upstream: string;
  /** 0 for U itself, k for U.k. */
  readonly correction: number;
  /** N of `-beta.N`; undefined for a stable version. */
  readonly beta: number | undefined;
};

/** Undefined for a version that does not follow these rules, such as one pushed by hand. */
export function readReleaseVersion(version: string): ReleaseVersion | undefined {
  const match = /^(\d+\.\d+\.\d+)(?:\.(\d+))?(?:-beta\.([1-9]\d*))?$/i.exec(version);
  if (match?.[1] === undefined) return undefined;
  return {
    version,
    upstream: match[1],
    correction: Number(match[2] ?? 0),
    beta: match[3] === undefined ? undefined : Number(match[3]),
  };
}

/** `1.22.0`, `1.22.0-beta.2`, `1.22.0.1-beta.1`. */
export function printReleaseVersion({ upstream, correction, beta }: Omit<ReleaseVersion, 'version'>): string {
  const stable = correction === 0 ? upstream : `${upstream}.${correction}`;
  return beta === undefined ? stable : `${stable}-beta.${beta}`;
}

/**
 * The next beta of the same upstream version: `U.1-beta.2` after `U.1-beta.1`, and after a stable one the first of its correction,
 * `U.1-beta.1` after `U`.
 */
export function nextRelease({ upstream, correction, beta }: ReleaseVersion): Omit<ReleaseVersion, 'version'> {
  return beta === undefined
    ? { upstream, correction: correction + 1, beta: 1 }
    : { upstream, correction, beta: beta + 1 };
}

/** `U-beta.3` after `U-beta.2`; undefined for anything else. */
export function nextBeta(version: string): string | undefined {
  const release = readReleaseVersion(version);
  return release?.beta === undefined ? undefined : printReleaseVersion(nextRelease(release));
}

/** By NuGet's order. */
export function isBefore(version: string, other: string): boolean {
  return (compareVersionTexts(version, other) ?? 0) < 0;
}

/** A version of a package as the feed lists it. */
export type ListedVersion = { readonly version: string; readonly isListed: boolean };

/** The release versions among these, newest first by NuGet's order. */
export function versionHistory(versions: readonly string[]): readonly ReleaseVersion[] {
  return versions
    .flatMap((version) => readReleaseVersion(version) ?? [])
    .sort((a, b) => compareVersionTexts(b.version, a.version) ?? 0);
}
