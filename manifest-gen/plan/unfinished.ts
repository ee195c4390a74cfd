import { compareNuGetVersions, parseNuGetVersion } from '../../formats/nuget-version.ts';
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

  if (isWithdrawn(main)) return [withdrawal(tool, main, 'main')];
  const sentences: string[] = [];
  if (isNewer(newestStable, main)) {
    sentences.push(
      `the feed has ${newestStable}, main offers ${main ?? 'nothing'}: \`release:promote ${tool}@${newestStable}\` finishes the promotion`,
    );
  }
  if (isWithdrawn(beta)) sentences.push(withdrawal(tool, beta, 'beta'));
  else if (isNewer(newest, beta) && newest !== newestStable) {
    sentences.push(
      `the feed has ${newest}, beta offers ${beta ?? 'nothing'}: \`release:beta ${tool}@${readCar(newest ?? '')?.upstream}\` finishes the release`,
    );
  }
  return sentences;
}

function withdrawal(tool: string, version: string, channel: string): string {
  return `${version} was withdrawn, ${channel} still offers it: \`release:withdraw ${tool}@${version} --reason TEXT\` finishes the withdrawal`;
}

function isNewer(version: string | undefined, offered: string | undefined): boolean {
  const [left, right] = [parseNuGetVersion(version ?? ''), parseNuGetVersion(offered ?? '')];
  return left !== undefined && (right === undefined || compareNuGetVersions(left, right) > 0);
}
