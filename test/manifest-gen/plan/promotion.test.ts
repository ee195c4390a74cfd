import { describe, expect, it } from 'vitest';
import type { ReleaseRecord } from '../../../formats/release-record.ts';
import { objectionTo, planPromotion } from '../../../manifest-gen/plan/promotion.ts';
import { noBetaInWords, inWords as reasonInWords } from '../../../manifest-gen/report/reasons.ts';

describe('planPromotion', () => {
  it.each([
    // feed (! is unlisted), asked, main -> plan
    ['1.22.0-beta.1', undefined, undefined, 'promote 1.22.0-beta.1 to 1.22.0'],
    ['1.22.0-beta.1 1.22.0-beta.10 1.22.0-beta.9', undefined, '1.21.0', 'promote 1.22.0-beta.10 to 1.22.0'],
    ['1.22.0-beta.1 1.22.0-beta.2', '1.22.0-beta.1', undefined, 'promote 1.22.0-beta.1 to 1.22.0'],
    ['1.22.0-beta.1 1.23.0-beta.1', '1.22.0', '1.21.0', 'promote 1.22.0-beta.1 to 1.22.0'],
    ['1.22.0-beta.1 1.22.0-beta.2!', undefined, undefined, 'promote 1.22.0-beta.1 to 1.22.0'],
    ['1.22.0 1.22.0-beta.1 1.22.0.1-beta.1', undefined, '1.22.0', 'promote 1.22.0.1-beta.1 to 1.22.0.1'],
    ['1.22.0 1.22.0-beta.1 1.22.0.1-beta.1', '1.22.0', '1.22.0', 'nothing: main already offers 1.22.0'],
    // killed between feed and git
    ['1.22.0 1.22.0-beta.1', undefined, '1.21.0', 'finish 1.22.0-beta.1 to 1.22.0'],
    ['1.22.0 1.22.0-beta.1', undefined, undefined, 'finish 1.22.0-beta.1 to 1.22.0'],
    ['1.22.0 1.22.0-beta.1', '1.22.0-beta.1', '1.22.0', 'nothing: main already offers 1.22.0'],
    ['1.22.0-beta.1 1.23.0', undefined, '1.23.0', 'nothing: main offers 1.23.0, which is newer'],
    [
      '1.22.0-beta.1 1.23.0',
      '1.22.0',
      '1.23.0',
      'refused: main offers 1.23.0, which is newer, and a branch never goes back',
    ],
    ['1.22.0-beta.1!', '1.22.0-beta.1', undefined, 'refused: its beta 1.22.0-beta.1 was withdrawn'],
    ['1.22.0-beta.1!', undefined, undefined, 'refused: its beta 1.22.0-beta.1 was withdrawn'],
    ['1.22.0! 1.22.0-beta.1', '1.22.0', '1.21.0', 'refused: it was withdrawn'],
    ['1.22.0', undefined, undefined, 'missing: there is no beta on the feed, but none'],
    [
      '1.22.0-beta.1! 1.22.0-beta.2 1.21.0-beta.1',
      '1.22.1',
      undefined,
      'missing: there is no beta of 1.22.1 on the feed, but 1.22.0-beta.2, 1.21.0-beta.1',
    ],
    [
      '1.22.0-beta.1',
      '1.22.0-beta.2',
      undefined,
      'missing: there is no 1.22.0-beta.2 on the feed, but 1.22.0-beta.1',
    ],
    [
      '1.22.0-beta.1',
      'nonsense',
      undefined,
      'missing: there is no beta of nonsense on the feed, but 1.22.0-beta.1',
    ],
  ])('with %s on the feed, asked for %s while main offers %s: %s', (feed, asked, main, expected) => {
    const packages = feed.split(' ').map((text) => ({
      version: text.replace('!', ''),
      isListed: !text.endsWith('!'),
    }));

    expect(inWords(planPromotion({ asked, packages, main }), asked)).toBe(expected);
  });
});

describe('planPromotion in a range of versions', () => {
  const packages = ['1.26.2-beta.1', '2.0.0-beta.1'].map((version) => ({ version, isListed: true }));
  const standing = { packages, main: undefined, versions: '<2' };

  it('chooses no beta outside of it by itself', () => {
    expect(inWords(planPromotion({ ...standing, asked: undefined }))).toBe('promote 1.26.2-beta.1 to 1.26.2');
    expect(inWords(planPromotion({ ...standing, asked: '2.0.0' }))).toBe('promote 2.0.0-beta.1 to 2.0.0');
    const none = planPromotion({ ...standing, asked: undefined, versions: '>=3' });
    expect(inWords(none, undefined, '>=3')).toBe(
      'missing: there is no beta in the range >=3 on the feed, but 2.0.0-beta.1, 1.26.2-beta.1',
    );
  });
});

describe('objectionTo', () => {
  it('objects to older bytes under a new number, which a withdrawal alone may publish, as a beta and as a correction', () => {
    const older = { ...record('a'), source: { ...record('a').source, version: '1.21.2' } };

    expect(objection(older, undefined)).toBe(
      '1.22.0-beta.1 has the bytes of 1.21.2, published in place of a withdrawn beta',
    );
    expect(objection({ ...older, version: '1.22.0.1-beta.1' }, undefined)).toBe(
      '1.22.0.1-beta.1 has the bytes of 1.21.2, published in place of a withdrawn version',
    );
  });

  it('does not object to the same payloads', () => {
    expect(objectionTo(record('a'), undefined)).toBeUndefined();
    expect(objectionTo(record('a'), record('a'))).toBeUndefined();
  });

  it('objects to a beta without record, with failed evidence, or other than the published', () => {
    const failed = { ...record('a'), evidence: [{ ...evidence, verdict: 'failed' as const }] };

    expect(objection(undefined, undefined)).toContain('no release record');
    expect(objection(failed, undefined)).toContain('checksum of dlv.zip failed');
    expect(objection(record('a'), record('b'))).toContain('a published version is never replaced');
  });
});

const evidence = { kind: 'checksum', verdict: 'passed', subject: 'dlv.zip', detail: '' } as const;

function record(digit: string): ReleaseRecord {
  return {
    schema: 1,
    tool: 'delve',
    version: '1.22.0-beta.1',
    packaging: '1:x',
    builtBy: 'upstream',
    source: { kind: 'github', upstream: 'u', version: '1.22.0', fingerprint: '0'.repeat(64) },
    payloads: [
      {
        architecture: 'amd64',
        file: 'dlv-windows-amd64.exe',
        size: 1,
        sha256: digit.repeat(64),
        sha512: digit.repeat(128),
      },
    ],
    evidence: [evidence],
  };
}

function objection(...records: Parameters<typeof objectionTo>): string | undefined {
  const refusal = objectionTo(...records);
  return refusal && reasonInWords(refusal);
}

function inWords(plan: ReturnType<typeof planPromotion>, asked?: string, versions?: string): string {
  if (plan.kind === 'promote')
    return `${plan.isPublished ? 'finish' : 'promote'} ${plan.beta} to ${plan.stable}`;
  if (plan.kind === 'nothing') return `nothing: ${reasonInWords(plan.reason)}`;
  return plan.kind === 'missing'
    ? `missing: ${noBetaInWords(asked, versions)}, but ${plan.betas.join(', ') || 'none'}`
    : `refused: ${reasonInWords(plan.reason)}`;
}
