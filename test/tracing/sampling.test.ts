import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSampled } from '../../tracing/sampling.ts';

const idWith = (last: string) => `0af7651916cd43dd8448${last}`;
const half = { publishing: 0.5, other: 0 };
const traceId = fc
  .array(fc.integer({ min: 0, max: 15 }), { minLength: 32, maxLength: 32 })
  .map((digits) => digits.map((digit) => digit.toString(16)).join(''));
const share = fc.double({ min: 0, max: 1, noNaN: true });

describe('whether a trace is kept', () => {
  it.each([
    ['000000000000', 'always', half, true],
    ['7fffffffffff', 'publishing', half, false],
    ['800000000000', 'publishing', half, true],
    ['ffffffffffff', 'other', half, false],
    ['000000000000', 'other', { publishing: 0, other: 1 }, true],
    ['bfffffffffff', 'publishing', { publishing: 0.25, other: 0 }, false],
    ['c00000000000', 'publishing', { publishing: 0.25, other: 0 }, true],
    ['ffbe76c8b43a', 'other', { publishing: 0, other: 0.001 }, true],
    ['ffbe76c8b439', 'other', { publishing: 0, other: 0.001 }, false],
  ] as const)('...%s %s of %o: %s', (last, of, shares, kept) => {
    expect(isSampled(idWith(last), of, shares)).toBe(kept);
  });

  it('stays so in a larger share, whatever the other share is', () => {
    fc.assert(
      fc.property(traceId, share, share, share, (id, one, two, other) => {
        const [small, large] = [Math.min(one, two), Math.max(one, two)];
        const isKept = isSampled(id, 'publishing', { publishing: small, other });
        if (isKept) expect(isSampled(id, 'publishing', { publishing: large, other: 1 - other })).toBe(true);
        expect(isSampled(id, 'publishing', { publishing: 1, other })).toBe(true);
        expect(isSampled(id, 'publishing', { publishing: 0, other })).toBe(false);
        expect(isSampled(id, 'other', { publishing: other, other: small })).toBe(isKept);
      }),
    );
  });
});
