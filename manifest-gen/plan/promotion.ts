import { satisfies } from 'semver';
import type { ReleaseRecord } from '../../formats/release-record.ts';
import { compareScoopVersions } from '../../formats/scoop-version.ts';
import type { Reason, Refusal } from './reason.ts';
import {
  type ListedVersion,
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
  readonly packages: readonly ListedVersion[];
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
  | { readonly kind: 'missing'; readonly betas: readonly string[] }
  | { readonly kind: 'refused'; readonly version: string; readonly reason: Refusal };

/** Which beta becomes which stable version, or why not. */
export function planPromotion(facts: PromotionFacts): Promotion {
  const { asked, packages, main } = facts;
  const beta = chooseBeta(facts);
  if (beta === undefined) {
    const betas = betasOf(facts).filter((release) => !isUnlisted(packages, release.version));
    return { kind: 'missing', betas: betas.map((release) => release.version) };
  }
  const version = printReleaseVersion({ ...beta, beta: undefined });
  const refused = (reason: Refusal): Promotion => ({ kind: 'refused', version, reason });
  const isPublished = packages.some((one) => one.version === version);
  if (isUnlisted(packages, beta.version)) return refused({ code: 'beta-withdrawn', beta: beta.version });

  const order = main === undefined ? 1 : compareScoopVersions(version, main);
  if (main !== undefined && order === 0) {
    return { kind: 'nothing', version, reason: { code: 'offered', branch: 'main', version: main } };
  }
  if (main !== undefined && order < 0) {
    return isPublished || asked === undefined
      ? { kind: 'nothing', version, reason: { code: 'overtaken', version: main } }
      : refused({ code: 'going-back', main });
  }
  if (isUnlisted(packages, version)) return refused({ code: 'stable-withdrawn' });
  return { kind: 'promote', beta: beta.version, stable: version, isPublished };
}

/** Why the beta's content may not become stable; undefined when it may. `published` is the stable one's record, when it is on the feed. */
export function objectionTo(
  beta: ReleaseRecord | undefined,
  published: ReleaseRecord | undefined,
): Refusal | undefined {
  if (beta === undefined) return { code: 'unrecorded-beta' };
  const failed = beta.evidence.find(({ verdict }) => verdict === 'failed');
  if (failed !== undefined) return { code: 'failed-evidence', kind: failed.kind, subject: failed.subject };
  const release = readReleaseVersion(beta.version);
  // the evidence of an older version is genuine: only a withdrawal may go back to it
  if (release !== undefined && beta.source.version !== release.upstream) {
    const inPlaceOf = release.correction === 0 ? 'beta' : 'version';
    return { code: 'older-bytes', beta: beta.version, bytesOf: beta.source.version, inPlaceOf };
  }
  if (published !== undefined && !isSameProgram(published, beta)) return { code: 'other-payloads' };
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

function betasOf({ packages }: PromotionFacts): readonly ReleaseVersion[] {
  return versionHistory(packages.map(({ version }) => version)).filter(({ beta }) => beta !== undefined);
}

function isUnlisted(packages: readonly ListedVersion[], version: string): boolean {
  return packages.some((one) => one.version === version && !one.isListed);
}
