import type { Change, Reason } from '../plan/reason.ts';

type Of<Code extends Reason['code']> = Extract<Reason, { code: Code }>;

/** What a plan says of itself, in half a sentence. */
const sentences: { readonly [Code in Reason['code']]: (reason: Of<Code>) => string } = {
  new: () => 'new upstream version',
  changed: ({ version, change }) => `${version} ${changeInWords(change)}`,
  unfinished: ({ branch }) =>
    branch === 'main'
      ? 'the feed has it, main does not offer it yet'
      : 'the feed has it, branch beta does not offer it yet',
  offered: ({ branch, version }) =>
    branch === 'main' ? `main already offers ${version}` : `beta offers ${version}`,
  overtaken: ({ version }) => `main offers ${version}, which is newer`,
  promoted: () => 'it is already promoted',
  withdrawn: ({ version }) => `${version} was withdrawn; a changed recipe makes the next one`,
  'taken back': ({ upstream, version, bytesOf }) =>
    `${upstream} was withdrawn, ${version} has the bytes of ${bytesOf}; --correct releases it again`,
  from: ({ beta }) => `from ${beta}`,
  withdrawal: ({ bad, isListed, then }) => {
    const verb = isListed ? `unlist ${bad}` : `${bad} is already unlisted`;
    if (then === undefined)
      return `${verb}; there is no good version to go back to, and Scoop would still offer it`;
    return 'onTop' in then
      ? `${verb}; the correction has the bytes of ${then.onTop}`
      : `${verb}; ${then.offered} is offered`;
  },
};

export function inWords<Code extends Reason['code']>(reason: Of<Code>): string {
  return sentences[reason.code as Code](reason);
}

function changeInWords(change: Change): string {
  if (change.code === 'no record') return 'has no release record';
  if (change.code === 'bytes of') return `has the bytes of ${change.version}`;
  if (change.code === 'files') return `was made from other files or another source: ${change.what}`;
  return 'was made with another tool file, template or packaging';
}
