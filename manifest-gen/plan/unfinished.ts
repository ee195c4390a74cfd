import { compareNuGetVersions, parseNuGetVersion } from '../../formats/nuget-version.ts';
import { goodCandidates } from '../withdraw/plan.ts';
import { readCar, readTrain } from './train.ts';

/** Where one tool stands on the feed and in the bucket. */
export type Standing = {
  readonly tool: string;
  readonly packages: readonly { readonly version: string; readonly isListed: boolean }[];
  readonly main: string | undefined;
  readonly beta: string | undefined;
};

/**
 * What an interruption left half done: feed and bucket disagree. Each sentence says what was found and what finishes it.
 * The feed comes first in every verb, so that the bucket is what is behind.
 */
export function findUnfinished({ tool, packages, main, beta }: Standing): readonly string[] {
  const listed = readTrain(packages.filter(({ isListed }) => isListed).map(({ version }) => version));
  const newestStable = listed.find((car) => car.beta === undefined)?.version;
  const newest = listed[0]?.version;
  const isWithdrawn = (version: string | undefined): version is string =>
    packages.some((one) => one.version === version && !one.isListed);

  // with nothing good on the feed it takes a version of upstream's, which a person has to name
  const toOf = (bad: string): string => (goodCandidates(bad, packages).length === 0 ? ' --to OLDER' : '');
  if (isWithdrawn(main)) return [withdrawal(tool, main, 'main', toOf(main))];
  const sentences: string[] = [];
  if (isNewer(newestStable, main)) {
    sentences.push(
      `the feed has ${newestStable}, main offers ${main ?? 'nothing'}: \`release:promote ${tool}@${newestStable}\` finishes the promotion`,
    );
  }
  if (isWithdrawn(beta)) sentences.push(withdrawal(tool, beta, 'beta', ''));
  else if (isNewer(newest, beta) && newest !== newestStable) {
    sentences.push(
      `the feed has ${newest}, beta offers ${beta ?? 'nothing'}: \`release:beta ${tool}@${readCar(newest ?? '')?.upstream}\` finishes the release`,
    );
  }
  return sentences;
}

function withdrawal(tool: string, version: string, channel: string, to: string): string {
  const older =
    to === '' ? '' : ', OLDER being a good version of upstream; or release and promote a newer one';
  return `${version} was withdrawn, ${channel} still offers it: \`release:withdraw ${tool}@${version} --reason TEXT${to}\` finishes the withdrawal${older}`;
}

function isNewer(version: string | undefined, offered: string | undefined): boolean {
  const [left, right] = [parseNuGetVersion(version ?? ''), parseNuGetVersion(offered ?? '')];
  return left !== undefined && (right === undefined || compareNuGetVersions(left, right) > 0);
}
