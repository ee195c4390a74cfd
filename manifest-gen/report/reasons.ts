import type { ReleaseError } from '../../errors/release-error.ts';
import type { Change, Objection, Reason, Refusal } from '../plan/reason.ts';
import { readReleaseVersion } from '../plan/release-version.ts';
import { describePart } from '../reverify/check.ts';
import type { NextStep, PlanSource } from './report.ts';

type Coded = Reason | Change | Refusal | Objection;
type Of<Code extends Coded['code']> = Extract<Coded, { code: Code }>;

const otherFiles = 'was made from other files or another source:';

/** What a plan says of itself, in half a sentence. */
const sentences: { readonly [Code in Coded['code']]: (coded: Of<Code>) => string } = {
  new: () => 'new upstream version',
  changed: ({ version, change }) => `${version} ${inWords(change)}`,
  unfinished: ({ branch }) =>
    branch === 'main'
      ? 'the feed has it, main does not offer it yet'
      : 'the feed has it, branch beta does not offer it yet',
  offered: ({ branch, version }) =>
    branch === 'main' ? `main already offers ${version}` : `beta offers ${version}`,
  overtaken: ({ version }) => `main offers ${version}, which is newer`,
  promoted: () => 'it is already promoted',
  withdrawn: ({ version }) => `${version} was withdrawn; a changed recipe makes the next one`,
  'taken-back': ({ upstream, version, bytesOf }) =>
    `${upstream} was withdrawn, ${version} has the bytes of ${bytesOf}; --correct releases it again`,
  from: ({ beta }) => `from ${beta}`,
  rolling: ({ version, state }) => `the rollout of ${version} is ${state}`,
  rollout: ({ beta, back }) => {
    const correction = back && `a rollback gives the bytes of ${back.bytesOf} as ${back.version}`;
    return `from ${beta}; ${correction ?? 'a rollback has nothing to go back to: main offers no version'}`;
  },
  withdrawal: ({ bad, isListed, then }) => {
    const verb = isListed ? `unlist ${bad}` : `${bad} is already unlisted`;
    if (then === undefined)
      return `${verb}; there is no good version to go back to, and Scoop would still offer it`;
    return 'onTop' in then
      ? `${verb}; the correction has the bytes of ${then.onTop}`
      : `${verb}; ${then.offered} is offered`;
  },
  address: ({ version, from }) => `${version} names ${from}`,

  'no-record': () => 'has no release record',
  'bytes-of': ({ version }) => `has the bytes of ${version}`,
  'other-files': ({ difference }) =>
    `${otherFiles} ${describePart(difference)} was ${difference.recorded || 'none'}, now it is ${difference.offered || 'none'}`,
  'other-architectures': ({ had, has }) => `${otherFiles} it was for ${had}, now there is ${has}`,
  'other-statements': ({ source }) => `${otherFiles} ${source} now states other sizes or digests`,
  recipe: () => 'was made with another tool file, template or packaging',

  'beta-withdrawn': ({ beta }) => `its beta ${beta} was withdrawn`,
  'stable-withdrawn': () => 'it was withdrawn',
  'going-back': ({ main }) => `main offers ${main}, which is newer, and a branch never goes back`,
  'unrecorded-beta': () => 'its beta has no release record, so its origin is unknown',
  'failed-evidence': ({ kind, subject }) => `the evidence ${kind} of ${subject} failed`,
  'older-bytes': ({ beta, bytesOf, inPlaceOf }) =>
    `${beta} has the bytes of ${bytesOf}, published in place of a withdrawn ${inPlaceOf}`,
  'other-payloads': () => 'it is on the feed with other payloads, and a published version is never replaced',
  'foreign-stable': () => 'the feed has a package of this version that go-win-tools did not make',

  'not-on-feed': () => 'the feed does not have it',
  'withdrawn-too': () => 'it was withdrawn itself',
  'not-older': ({ bad }) => `it is not older than ${bad}`,
  'foreign-version': () => 'it is not a version that a release makes',
  'never-promoted': () => 'it was never promoted',
  'not-ours': () => 'go-win-tools did not make it',
};

export function inWords<Code extends Coded['code']>(coded: Of<Code>): string {
  return sentences[coded.code as Code](coded);
}

/** No beta is there to promote: the named one, or any in the tool's range. */
export function noBetaInWords(asked: string | undefined, versions: string | undefined): string {
  const range = versions === undefined ? 'beta' : `beta in the range ${versions}`;
  const named =
    asked !== undefined && readReleaseVersion(asked)?.beta === undefined ? `beta of ${asked}` : asked;
  return `there is no ${named ?? range} on the feed`;
}

export function sameExesInWords(version: string, bad: string): string {
  return `${version} has the same exes as ${bad}: withdraw it too if the exes are the fault`;
}

/** `github: github.com/go-delve/delve@v1.26.3` */
export function sourceInWords(source: PlanSource | undefined): string {
  if (source === undefined) return '';
  if ('kind' in source) return `${source.kind}: ${source.upstream}`;
  return source.branch === undefined ? 'held for a rollout' : `branch ${source.branch}`;
}

/** @param sentenceOf of an error, which may be known from another row */
export function nextInWords(
  next: NextStep,
  sentenceOf: (error: ReleaseError) => string = ({ message }) => message,
): string {
  if (next.does === 'look') return next.how;
  if (next.does === 'fail') return `fail: ${sentenceOf(next.error)} ${next.error.hint}`;
  if (next.does === 'nothing') return `do nothing: ${inWords(next.why)}`;
  return `${next.does} ${next.version} from ${next.from}: ${inWords(next.why)}`;
}
