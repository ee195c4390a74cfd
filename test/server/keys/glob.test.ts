import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesGlob } from '../../../server/keys/glob.ts';

describe('a glob', () => {
  it('matches what the equivalent regular expression matches', () => {
    const glob = fc.string({ unit: fc.constantFrom('a', 'B', '.', '*', '?'), maxLength: 6 });
    const id = fc.string({ unit: fc.constantFrom('a', 'A', 'b', '.'), maxLength: 8 });

    fc.assert(
      fc.property(glob, id, (pattern, text) => {
        const source = pattern.replaceAll('.', '\\.').replace(/\*+/g, '.*').replaceAll('?', '.');
        expect(matchesGlob(pattern, text)).toBe(new RegExp(`^${source}$`, 'i').test(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('of many stars is answered (a regular expression would not come back)', () => {
    expect(matchesGlob(`${'*a'.repeat(40)}b`, 'a'.repeat(100))).toBe(false);
  });
});
