import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPackageId } from '../../formats/nuspec-fields.ts';

describe('a package id', () => {
  it.each(['delve', 'a', '7zip.install', 'a_b', '_', 'a__b', 'go-win-shims', 'x'.repeat(100)])(
    'may be %s',
    (id) => {
      expect(isPackageId(id)).toBe(true);
    },
  );

  it.each([
    '',
    '.a',
    'a.',
    'a-',
    '-a',
    'a..b',
    'I_.Like.-Separators',
    'ILike*Asterisks',
    '$id$',
    'ä',
    'a b',
    'x'.repeat(101),
  ])('may not be %j', (id) => {
    expect(isPackageId(id)).toBe(false);
  });

  it('follows the rule of NuGet, for short texts where that rule is fast', () => {
    const piece = fc.constantFrom('a', 'B', '7', '_', '.', '-', '!');

    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        expect(isPackageId(pieces.join(''))).toBe(/^\w+([._-]\w+)*$/.test(pieces.join('')));
      }),
    );
  });

  it('is checked in one pass: a hundred underscores and a wrong character', () => {
    // Quadratic or worse would never end here: the time limit of the test is the whole suite's.
    for (let round = 0; round < 1000; round++) {
      expect(isPackageId(`${'_'.repeat(99)}!`)).toBe(false);
    }
  });
});
