import { compareNuGetVersions, parseNuGetVersion } from '../../formats/nuget-version.ts';
import { readReleaseVersion, versionHistory } from './release-version.ts';
import { goodCandidates } from './withdrawal.ts';

/** The state of one tool on the feed and in the bucket. */
export type PublishedState = {
  readonly tool: string;
  readonly packages: readonly { readonly version: string; readonly isListed: boolean }[];
  readonly main: string | undefined;
  readonly beta: string | undefined;
};

/** What a person runs to finish what was begun with a version, in half a sentence each. */
export type Finish = {
  release(version: string): string;
  promotion(version: string): string;
  /** @param isStranded the feed has no good version to replace it */
  withdrawal(version: string, isStranded: boolean): string;
};

function releaseVerbs(tool: string): Finish {
  return {
    release: (version) =>
      `\`release:beta ${tool}@${readReleaseVersion(version)?.upstream}\` finishes the release`,
    promotion: (version) => `\`release:promote ${tool}@${version}\` finishes the promotion`,
    withdrawal: (version, isStranded) => {
      // it takes a version of upstream's then, which a person has to name
      const [to, older] = isStranded
        ? [' --to OLDER', ', where OLDER is a good version of upstream; or release and promote a newer one']
        : ['', ''];
      return `\`release:withdraw ${tool}@${version} --reason TEXT${to}\` finishes the withdrawal${older}`;
    },
  };
}

/**
 * What an interruption left half done: feed and bucket disagree. Each sentence says what was found and what finishes it. Every
 * verb publishes to the feed first, so the bucket is the one that is behind.
 * @param finish for packages that the release verbs do not make
 */
export function findUnfinished(
  { tool, packages, main, beta }: PublishedState,
  finish: Finish = releaseVerbs(tool),
): readonly string[] {
  const listed = versionHistory(packages.filter(({ isListed }) => isListed).map(({ version }) => version));
  const newestStable = listed.find((release) => release.beta === undefined)?.version;
  const newest = listed[0]?.version;
  const isWithdrawn = (version: string | undefined): version is string =>
    packages.some((one) => one.version === version && !one.isListed);
  const there = (version: string, channel: string, offered = 'nothing'): string =>
    `the feed has ${version}, ${channel} offers ${offered}`;

  if (isWithdrawn(main)) {
    const isStranded = goodCandidates(main, packages).length === 0;
    return [`${main} was withdrawn, main still offers it: ${finish.withdrawal(main, isStranded)}`];
  }
  const sentences: string[] = [];
  if (isNewer(newestStable, main)) {
    sentences.push(`${there(newestStable, 'main', main)}: ${finish.promotion(newestStable)}`);
  }
  if (isWithdrawn(beta)) {
    sentences.push(`${beta} was withdrawn, beta still offers it: ${finish.withdrawal(beta, false)}`);
  } else if (isNewer(newest, beta) && newest !== newestStable) {
    sentences.push(`${there(newest, 'beta', beta)}: ${finish.release(newest)}`);
  }
  return sentences;
}

function isNewer(version: string | undefined, offered: string | undefined): version is string {
  const [left, right] = [parseNuGetVersion(version ?? ''), parseNuGetVersion(offered ?? '')];
  return left !== undefined && (right === undefined || compareNuGetVersions(left, right) > 0);
}
