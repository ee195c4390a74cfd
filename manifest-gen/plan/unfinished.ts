import { compareVersionTexts } from '../../formats/nuget-version.ts';
import { type ListedVersion, versionHistory } from './release-version.ts';
import { goodVersions } from './withdrawal.ts';

export type PublishedState = {
  readonly packages: readonly ListedVersion[];
  readonly main: string | undefined;
  readonly beta: string | undefined;
};

/** Something that was begun with a version: feed and bucket disagree about it. The sentences: report/unfinished.ts. */
export type Unfinished = { readonly branch: 'main' | 'beta'; readonly version: string } & (
  | { readonly code: 'promotion' | 'release'; readonly offered: string | undefined }
  /** `hasNoReplacement`: the feed has no good version to replace it. */
  | { readonly code: 'withdrawal'; readonly hasNoReplacement: boolean }
);

/** What an interruption left half done. Every verb publishes to the feed first, so the bucket is the one that is behind. */
export function findUnfinished({ packages, main, beta }: PublishedState): readonly Unfinished[] {
  const listed = versionHistory(packages.filter(({ isListed }) => isListed).map(({ version }) => version));
  const newestStable = listed.find((release) => release.beta === undefined)?.version;
  const newest = listed[0]?.version;
  const isWithdrawn = (version: string | undefined): version is string =>
    packages.some((one) => one.version === version && !one.isListed);

  if (isWithdrawn(main)) {
    const hasNoReplacement = goodVersions(main, packages).length === 0;
    return [{ code: 'withdrawal', branch: 'main', version: main, hasNoReplacement }];
  }
  const found: Unfinished[] = [];
  if (isNewer(newestStable, main)) {
    found.push({ code: 'promotion', branch: 'main', version: newestStable, offered: main });
  }
  if (isWithdrawn(beta)) {
    found.push({ code: 'withdrawal', branch: 'beta', version: beta, hasNoReplacement: false });
  } else if (isNewer(newest, beta) && newest !== newestStable) {
    found.push({ code: 'release', branch: 'beta', version: newest, offered: beta });
  }
  return found;
}

function isNewer(version: string | undefined, offered: string | undefined): version is string {
  return version !== undefined && (compareVersionTexts(version, offered ?? '') ?? 1) > 0;
}
