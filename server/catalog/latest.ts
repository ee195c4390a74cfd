/** The parts of a version that decide the latest flags. `versionKey` orders as in `formats/nuget-version.ts`. */
export type Candidate = {
  readonly versionKey: string;
  readonly isPrerelease: boolean;
  readonly isListed: boolean;
  readonly inSemVer1: boolean;
};

/** Which candidate has which flag; absent when none does. */
export type LatestFlags<C extends Candidate> = {
  readonly latestSemVer1: C | undefined;
  readonly newestSemVer1: C | undefined;
  readonly latestSemVer2: C | undefined;
  readonly newestSemVer2: C | undefined;
};

/**
 * The rule for "latest" on every route (spec nuget-v2 12.4): `latest` is the highest listed stable version, `newest`
 * (IsAbsoluteLatestVersion) the highest listed one, each among all versions and among those that a SemVer 1 client can read.
 */
export function chooseLatest<C extends Candidate>(versions: readonly C[]): LatestFlags<C> {
  const listed = versions.filter((version) => version.isListed);
  const readable = listed.filter((version) => version.inSemVer1);
  return {
    latestSemVer1: highest(readable.filter(isStable)),
    newestSemVer1: highest(readable),
    latestSemVer2: highest(listed.filter(isStable)),
    newestSemVer2: highest(listed),
  };
}

function isStable(version: Candidate): boolean {
  return !version.isPrerelease;
}

function highest<C extends Candidate>(versions: readonly C[]): C | undefined {
  let best: C | undefined;
  for (const version of versions) if (!best || version.versionKey > best.versionKey) best = version;
  return best;
}
