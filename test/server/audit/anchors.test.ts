import { describe, expect, it } from 'vitest';
import {
  type Anchor,
  type AnchoredLog,
  findBrokenAnchor,
  readAnchors,
} from '../../../server/audit/anchors.ts';

const hash = (digit: string) => digit.repeat(64);
const anchor = (number: number, head: string, more: Partial<Anchor> = {}): Anchor => ({
  ...{ time: '2026-01-01T00:00:00.000Z', feed: 'https://feed', first: hash('1'), number, head: hash(head) },
  ...more,
});
const log = (more: Partial<AnchoredLog> = {}): AnchoredLog => ({
  ...{ feed: 'https://feed', first: hash('1'), head: { number: 5, hash: hash('5') } },
  hashAt: (number) => hash(String(number)),
  ...more,
});

describe('the first anchor that a log does not contain', () => {
  it.each<[string, readonly Anchor[], AnchoredLog, object | undefined]>([
    ['none', [anchor(1, '1'), anchor(3, '3'), anchor(5, '5')], log(), undefined],
    ['none, where the address has changed', [anchor(3, '3')], log({ feed: 'https://new' }), undefined],
    ['cut off', [anchor(3, '3'), anchor(6, '6')], log(), { at: 1, problem: 'cut off' }],
    [
      'all cut off',
      [anchor(3, '3')],
      log({ first: undefined, head: { number: 0, hash: hash('0') } }),
      { at: 0, problem: 'cut off' },
    ],
    ['rewritten', [anchor(3, '3'), anchor(4, 'a'), anchor(6, '6')], log(), { at: 1, problem: 'rewritten' }],
    [
      'rewritten from the first',
      [anchor(3, '3', { first: hash('a') })],
      log(),
      { at: 0, problem: 'rewritten' },
    ],
    [
      'of another feed',
      [anchor(3, '3'), anchor(9, '9', { feed: 'https://other', first: hash('a') })],
      log(),
      { at: 1, problem: 'other feed' },
    ],
  ])('is %s', (_what, anchors, now, broken) => {
    expect(findBrokenAnchor(anchors, now)).toEqual(broken);
  });

  it('is read from lines, or the line that is none is named', () => {
    const one = JSON.stringify(anchor(3, '3'));

    expect(readAnchors(`${one}\n\n${one}\n`)).toHaveLength(2);
    expect(readAnchors(`${one}\n${one.slice(0, 20)}\n`)).toBe(2);
    expect(readAnchors(`${one}\n{"number": 1}`)).toBe(2);
  });
});
