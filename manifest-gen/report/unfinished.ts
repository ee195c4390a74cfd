import { readReleaseVersion } from '../plan/release-version.ts';
import type { Unfinished } from '../plan/unfinished.ts';

/** What a person runs to finish what was begun with a version, in half a sentence each. */
export type Finish = {
  release(version: string): string;
  promotion(version: string): string;
  withdrawal(version: string, hasNoReplacement: boolean): string;
};

function releaseVerbs(tool: string): Finish {
  return {
    release: (version) =>
      `\`release:beta ${tool}@${readReleaseVersion(version)?.upstream}\` finishes the release`,
    promotion: (version) => `\`release:promote ${tool}@${version}\` finishes the promotion`,
    withdrawal: (version, hasNoReplacement) => {
      // it takes a version of upstream's then, which a person has to name
      const [to, older] = hasNoReplacement
        ? [' --to OLDER', ', where OLDER is a good version of upstream; or release and promote a newer one']
        : ['', ''];
      return `\`release:withdraw ${tool}@${version} --reason TEXT${to}\` finishes the withdrawal${older}`;
    },
  };
}

/**
 * What was found and what finishes it.
 * @param finish for packages that the release verbs do not make
 */
export function unfinishedInWords(tool: string, one: Unfinished, finish = releaseVerbs(tool)): string {
  const { branch, version } = one;
  if (one.code === 'withdrawal') {
    const how = finish.withdrawal(version, one.hasNoReplacement);
    return `${version} was withdrawn, ${branch} still offers it: ${how}`;
  }
  return `the feed has ${version}, ${branch} offers ${one.offered ?? 'nothing'}: ${finish[one.code](version)}`;
}
