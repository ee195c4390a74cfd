import {
  isBefore,
  type ListedVersion,
  nextRelease,
  printReleaseVersion,
  readReleaseVersion,
  versionHistory,
} from './release-version.ts';

/** A rollout, as far as a plan depends on it. */
type Known = {
  readonly version: string;
  readonly state: string;
  readonly correction?: string | undefined;
  readonly counts: { readonly admitted: number };
};

/** The numbers of a correction: `firstBeta` is what testers get of it. */
export type CorrectionNumbers = { readonly firstBeta: string; readonly stable: string };

/** The next correction of a version that is rolled out, above all of its family that are taken; undefined where it is not ours. */
export function nextCorrection(version: string, taken: readonly string[]): CorrectionNumbers | undefined {
  const upstream = readReleaseVersion(version)?.upstream;
  const head = versionHistory([version, ...taken]).find((one) => one.upstream === upstream);
  if (upstream === undefined || head === undefined) return undefined;
  const firstBeta = nextRelease(head);
  return {
    firstBeta: printReleaseVersion(firstBeta),
    stable: printReleaseVersion({ ...firstBeta, beta: undefined }),
  };
}

/**
 * What machines are offered that a rollout of `version` would take back: a listed stable version, or what an earlier rollout gave
 * to some of them. Undefined: nothing.
 */
export function offeredAbove(
  version: string,
  packages: readonly ListedVersion[],
  rollouts: readonly Known[],
): string | undefined {
  const stable = packages.filter((one) => one.isListed && !one.version.includes('-'));
  // a rollback also gives its correction to whoever was admitted to a superseded rollout
  const given = rollouts.map(({ state, correction, version, counts }) =>
    state === 'rolled-back' ? correction : counts.admitted > 0 ? version : undefined,
  );
  const offered = [...stable.map((one) => one.version), ...given].filter((one) => one !== undefined);
  return offered.find((one) => isBefore(version, one));
}

/**
 * The rollout whose rollback gave this beta to testers. It has the last good bytes, which main offers already, so nothing of it is
 * to be promoted.
 */
export function takenBackBy<R extends Pick<Known, 'state' | 'correction'>>(
  beta: string | undefined,
  rollouts: readonly R[],
): R | undefined {
  return rollouts.find(
    ({ state, correction }) => state === 'rolled-back' && beta?.startsWith(`${correction}-`) === true,
  );
}

/** The numbers that rollouts have used up. One that was rejected gave its version to nobody, so both are free again. */
export function takenByRollouts(
  rollouts: readonly Pick<Known, 'version' | 'state' | 'correction'>[],
): readonly string[] {
  return rollouts
    .filter(({ state }) => state !== 'rejected')
    .flatMap(({ version, correction }) => [version, correction ?? version]);
}
