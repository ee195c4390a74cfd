import { describe, expect, it } from 'vitest';
import {
  findAsked,
  goodVersions,
  headOfFamily,
  objectionToGood,
  planWithdrawal,
  type Withdrawal,
} from '../../../manifest-gen/plan/withdrawal.ts';
import { inWords as objectionInWords } from '../../../manifest-gen/report/reasons.ts';

describe('planWithdrawal', () => {
  it.each([
    // bad, offered, good, newest of its family (+ has the good bytes already) -> plan
    ['1.22.0', '1.22.0', '1.21.2', '1.22.0', '1.22.0.1-beta.1 -> 1.22.0.1'],
    ['1.22.0.1', '1.22.0.1', '1.21.2', '1.22.0.1', '1.22.0.2-beta.1 -> 1.22.0.2'],
    // a promotion that was cut: choco has it, Scoop not
    ['1.22.0', '1.21.2', '1.21.2', '1.22.0', '1.22.0.1-beta.1 -> 1.22.0.1'],
    ['1.22.0', undefined, '1.21.2', '1.22.0', '1.22.0.1-beta.1 -> 1.22.0.1'],
    // a correction of something else had begun
    ['1.22.0', '1.22.0', '1.21.2', '1.22.0.1-beta.1', '1.22.0.1-beta.2 -> 1.22.0.1'],
    ['1.22.0', '1.22.0', '1.21.2', '1.22.0.1', '1.22.0.2-beta.1 -> 1.22.0.2'],
    // this withdrawal was cut
    ['1.22.0', '1.22.0', '1.21.2', '1.22.0.1-beta.1+', 'first-beta: 1.22.0.1-beta.1 -> 1.22.0.1'],
    ['1.22.0', '1.22.0', '1.21.2', '1.22.0.1+', 'published: 1.22.0.1 -> 1.22.0.1'],
    // the branch has moved on
    ['1.22.0', '1.22.0.1', '1.21.2', '1.22.0.1+', 'overtaken by 1.22.0.1'],
    ['1.22.0', '1.23.0', undefined, '1.22.0', 'overtaken by 1.23.0'],
    ['1.22.0-beta.1', '1.22.0', '1.21.2', '1.22.0', 'overtaken by 1.22.0'],
    ['1.22.0', '1.22.0', undefined, '1.22.0', 'no-replacement'],
    ['2.0', '1.22.0', '1.21.2', '2.0', 'no-replacement'],
    // betas are put right by betas
    ['1.22.0-beta.2', '1.22.0-beta.2', '1.21.2', '1.22.0-beta.2', '1.22.0-beta.3'],
    ['1.22.0-beta.2', '1.22.0-beta.2', '1.21.2', '1.22.0-beta.3+', 'first-beta: 1.22.0-beta.3'],
    ['1.22.0.1-beta.1', '1.22.0.1-beta.1', '1.22.0', '1.22.0.1-beta.1', '1.22.0.1-beta.2'],
  ])(
    '%s while %s is offered, %s is good and %s is the newest of its family: %s',
    (bad, offered, good, head, expected) => {
      const plan = planWithdrawal({
        bad: { version: bad, isListed: true },
        offered,
        good,
        head: { version: head.replace('+', ''), isGoodAgain: head.endsWith('+') },
      });

      expect(inWords(plan)).toBe(expected);
    },
  );
});

describe('what to go back to', () => {
  const packages = readPackages('1.20.1 1.21.2! 1.21.0 1.22.0-beta.1 1.22.0 1.23.0 2.0.0-rc.1 1.21.5-x');

  it('is the newest listed stable version before it, never a beta', () => {
    expect(goodVersions('1.22.0', packages)).toEqual(['1.21.0', '1.20.1']);
    expect(goodVersions('1.22.0-beta.1', packages)).toEqual(['1.21.0', '1.20.1']);
    expect(goodVersions('1.20.1', packages)).toEqual([]);
  });

  it.each([
    ['9.9.9', '1.22.0', 'the feed does not have it'],
    ['1.21.2', '1.22.0', 'it was withdrawn itself'],
    ['1.23.0', '1.22.0', 'it is not older than 1.22.0'],
    ['1.22.0', '1.22.0', 'it is not older than 1.22.0'],
    ['1.22.0-beta.1', '1.22.0', 'it was never promoted'],
    ['1.21.5-x', '1.22.0', 'it is not a version that a release makes'],
    ['1.20.1', '1.22.0', undefined],
    ['1.22.0-beta.1', '1.22.0-beta.2', undefined],
  ])('%s instead of %s: %s', (to, bad, expected) => {
    const objection = objectionToGood(findAsked(to, packages), bad);

    expect(objection && objectionInWords(objection)).toBe(expected);
  });

  it('finds a version in any spelling, and the newest of its family', () => {
    expect(findAsked('1.22', packages)?.version).toBe('1.22.0');
    expect(findAsked('nonsense', packages)).toBeUndefined();
    expect(headOfFamily('1.22.0', readPackages('1.22.0 1.22.0.1-beta.1 1.23.0'))).toBe('1.22.0.1-beta.1');
    expect(headOfFamily('1.22.0-x', packages)).toBeUndefined();
  });
});

function readPackages(text: string) {
  return text.split(' ').map((one) => ({ version: one.replace('!', ''), isListed: !one.endsWith('!') }));
}

function inWords(plan: Withdrawal): string {
  if (plan.kind === 'overtaken') return `overtaken by ${plan.offered}`;
  if (plan.kind === 'no-replacement') return 'no-replacement';
  const stage = plan.stage === 'begin' ? '' : `${plan.stage}: `;
  return `${stage}${plan.firstBeta}${plan.stable === undefined ? '' : ` -> ${plan.stable}`}`;
}
