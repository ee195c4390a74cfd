import { satisfies } from 'semver';
import type { ReleaseRecord } from '../../formats/release-record.ts';
import { compareScoopVersions } from '../../formats/scoop-version.ts';
import type { Reason } from './reason.ts';
import {
  printReleaseVersion,
  type ReleaseVersion,
  readReleaseVersion,
  versionHistory,
} from './release-version.ts';
import { isSameProgram } from './same-files.ts';

/** What is known before any package is opened. */
export type PromotionFacts = {
  /** `1.22.0` or `1.22.0-beta.2`, as a person named it; undefined is the newest beta. */
  readonly asked: string | undefined;
  readonly packages: readonly { readonly version: string; readonly isListed: boolean }[];
  /** What branch main offers. */
  readonly main: string | undefined;
  /** The tool's range of upstream versions that may be taken without being named. */
  readonly versions?: string | undefined;
};

export type Promotion =
  /** `isPublished`: the stable package is on the feed already, and only the bucket is behind. */
  | {
      readonly kind: 'promote';
      readonly beta: string;
      readonly stable: string;
      readonly isPublished: boolean;
    }
  | { readonly kind: 'nothing'; readonly version: string; readonly reason: Reason }
  /** There is no such beta; `betas` are the existing ones, newest first. */
  | { readonly kind: 'missing'; readonly problem: string; readonly betas: readonly string[] }
  | { readonly kind: 'refused'; readonly version: string; readonly reason: string };

/** Which beta becomes which stable version, or why not. */
export function planPromotion(facts: PromotionFacts): Promotion {
  const { asked, packages, main, versions } = facts;
  const beta = chooseBeta(facts);
  if (beta === undefined) {
    const betas = betasOf(facts).filter((release) => !isUnlisted(packages, release.version));
    const problem = `there is no ${inWords(asked, versions)} on the feed`;
    return { kind: 'missing', problem, betas: betas.map((release) => release.version) };
  }
  const stable = printReleaseVersion({ ...beta, beta: undefined });
  const isPublished = packages.some(({ version }) => version === stable);
  if (isUnlisted(packages, beta.version)) return refuse(stable, `its beta ${beta.version} was withdrawn`);

  const order = main === undefined ? 1 : compareScoopVersions(stable, main);
  if (order === 0)
    return {
      kind: 'nothing',
      version: stable,
      reason: { code: 'offered', branch: 'main', version: main ?? stable },
    };
  if (order < 0 && (isPublished || asked === undefined)) {
    return { kind: 'nothing', version: stable, reason: { code: 'overtaken', version: main ?? stable } };
  }
  if (order < 0) return refuse(stable, `main offers ${main}, which is newer, and a branch never goes back`);
  if (isUnlisted(packages, stable)) return refuse(stable, 'it was withdrawn');
  return { kind: 'promote', beta: beta.version, stable, isPublished };
}

/** Why the beta's content may not become stable; undefined when it may. `published` is the stable one's record, when it is on the feed. */
export function objectionTo(
  beta: ReleaseRecord | undefined,
  published: ReleaseRecord | undefined,
): string | undefined {
  if (beta === undefined) return 'its beta has no release record, so its origin is unknown';
  const failed = beta.evidence.find(({ verdict }) => verdict === 'failed');
  if (failed !== undefined) return `the evidence ${failed.kind} of ${failed.subject} failed`;
  const release = readReleaseVersion(beta.version);
  // the evidence of an older version is genuine: only a withdrawal may go back to it
  if (release !== undefined && beta.source.version !== release.upstream) {
    return `${beta.version} has the bytes of ${beta.source.version}, published in place of a withdrawn ${release.correction === 0 ? 'beta' : 'version'}`;
  }
  if (published !== undefined && !isSameProgram(published, beta)) {
    return 'it is on the feed with other payloads, and a published version is never replaced';
  }
  return undefined;
}

/** A named beta may be withdrawn, and the plan says so; otherwise withdrawn betas do not count. */
function chooseBeta(facts: PromotionFacts): ReleaseVersion | undefined {
  const { asked, packages, versions } = facts;
  const betas = betasOf(facts);
  const named = betas.find((release) => release.version === asked);
  if (named !== undefined) return named;
  const candidates = betas.filter((release) =>
    asked === undefined
      ? versions === undefined || satisfies(release.upstream, versions)
      : printReleaseVersion({ ...release, beta: undefined }) === asked,
  );
  return candidates.find((release) => !isUnlisted(packages, release.version)) ?? candidates[0];
}

function inWords(asked: string | undefined, versions: string | undefined): string {
  if (asked !== undefined) return readReleaseVersion(asked)?.beta === undefined ? `beta of ${asked}` : asked;
  return versions === undefined ? 'beta' : `beta in the range ${versions}`;
}

function betasOf({ packages }: PromotionFacts): readonly ReleaseVersion[] {
  return versionHistory(packages.map(({ version }) => version)).filter(
    (release) => release.beta !== undefined,
  );
}

function isUnlisted(packages: PromotionFacts['packages'], version: string): boolean {
  return packages.some((one) => one.version === version && !one.isListed);
}

function refuse(version: string, reason: string): Promotion {
  return { kind: 'refused', version, reason };
}
