import { compareVersionTexts } from '../../formats/nuget-version.ts';
import { compareScoopVersions } from '../../formats/scoop-version.ts';
import { newestOfFamily } from './next-version.ts';
import type { Objection } from './reason.ts';
import {
  isBefore,
  type ListedVersion,
  nextRelease,
  printReleaseVersion,
  readReleaseVersion,
  versionHistory,
} from './release-version.ts';

/** What is known of a version that is to be withdrawn. */
export type WithdrawalFacts = {
  /** As the feed spells it. */
  readonly bad: ListedVersion;
  /** What the branch of the bad version offers. */
  readonly offered: string | undefined;
  /** The version whose bytes are good; undefined when there is none. */
  readonly good: string | undefined;
  /** The newest of the bad one's family. `isGoodAgain`: it is listed and has the good one's exes, so this withdrawal was begun before. */
  readonly head: { readonly version: string; readonly isGoodAgain: boolean };
};

/** What a withdrawal does besides unlisting. */
export type Withdrawal =
  /** The branch offers something newer: an update replaces the bad version. */
  | { readonly kind: 'overtaken'; readonly offered: string }
  /** There is no good version, and a branch never goes back. */
  | { readonly kind: 'no-replacement' }
  | {
      readonly kind: 'correct';
      /** How far an earlier run came: nothing is on the feed, the first beta of the correction, the correction itself. */
      readonly stage: 'begin' | 'first-beta' | 'published';
      /** The first beta of the correction (contract section 6). */
      readonly firstBeta: string;
      /** What that becomes; undefined when a beta is withdrawn, which another beta replaces. */
      readonly stable: string | undefined;
    };

/** The branch that offers a version, which its withdrawal corrects. */
export function channelOf(version: string): 'main' | 'beta' {
  return version.includes('-') ? 'beta' : 'main';
}

/** The feed's version that somebody means, however it is spelled: `1.22`, `1.22.0`. */
export function findAsked<P extends ListedVersion>(asked: string, packages: readonly P[]): P | undefined {
  return packages.find(({ version }) => compareVersionTexts(version, asked) === 0);
}

/** The stable versions before the bad one that are still listed, newest first. */
export function goodVersions(bad: string, packages: readonly ListedVersion[]): readonly string[] {
  const listed = packages.filter(({ isListed }) => isListed).map(({ version }) => version);
  return versionHistory(listed)
    .filter((release) => release.beta === undefined && isBefore(release.version, bad))
    .map(({ version }) => version);
}

/** Why the version that a person named is not the one to go back to; undefined when it is. */
export function objectionToGood(good: ListedVersion | undefined, bad: string): Objection | undefined {
  if (good === undefined) return { code: 'not-on-feed' };
  if (!good.isListed) return { code: 'withdrawn-too' };
  if (!isBefore(good.version, bad)) return { code: 'not-older', bad };
  if (readReleaseVersion(good.version) === undefined) return { code: 'foreign-version' };
  const isPromoted = channelOf(good.version) === 'main';
  return channelOf(bad) === 'main' && !isPromoted ? { code: 'never-promoted' } : undefined;
}

/**
 * The newest version with the same upstream version; undefined for one that was pushed by hand and does not follow our scheme.
 */
export function headOfFamily(bad: string, packages: readonly ListedVersion[]): string | undefined {
  const versions = packages.map(({ version }) => version);
  const upstream = readReleaseVersion(bad)?.upstream;
  return upstream === undefined ? undefined : newestOfFamily(upstream, versions);
}

/** A correction is always the newest of its family, whatever else was begun there: that is what machines update to. */
export function planWithdrawal({ bad, offered, good, head }: WithdrawalFacts): Withdrawal {
  if (offered !== undefined && compareScoopVersions(offered, bad.version) > 0) {
    return { kind: 'overtaken', offered };
  }
  const [badRelease, headRelease] = [readReleaseVersion(bad.version), readReleaseVersion(head.version)];
  if (good === undefined || badRelease === undefined || headRelease === undefined)
    return { kind: 'no-replacement' };

  const isStable = badRelease.beta === undefined;
  const isBegun = head.isGoodAgain && head.version !== bad.version;
  if (isBegun && headRelease.beta === undefined && isStable) {
    return { kind: 'correct', stage: 'published', firstBeta: head.version, stable: head.version };
  }
  const hasFirstBeta = isBegun && headRelease.beta !== undefined;
  const firstBeta = hasFirstBeta ? headRelease : nextRelease(headRelease);
  const stable = isStable ? printReleaseVersion({ ...firstBeta, beta: undefined }) : undefined;
  return {
    kind: 'correct',
    stage: hasFirstBeta ? 'first-beta' : 'begin',
    firstBeta: printReleaseVersion(firstBeta),
    stable,
  };
}
