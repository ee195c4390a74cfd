import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNumberSet } from '../../../server/catalog/sql/number-set.ts';

describe('a set of numbers', () => {
  it('has what a Set has, whatever was reserved', () => {
    const number = fc.oneof(fc.nat(3_000), fc.nat(2 ** 31), fc.constantFrom(0, 1, 2 ** 48 - 1));
    fc.assert(
      fc.property(
        fc.array(number, { maxLength: 3_000 }),
        fc.array(number),
        fc.nat(5_000),
        (added, asked, room) => {
          const set = createNumberSet();
          set.reserve(room);
          for (const one of added) set.add(one);

          const wanted = new Set(added);
          for (const one of [...added, ...asked]) expect(set.has(one)).toBe(wanted.has(one));
        },
      ),
    );
  });

  it('takes 12 bytes for each of a million that were announced', () => {
    const set = createNumberSet();
    const before = process.memoryUsage().arrayBuffers;
    set.reserve(1_000_000);
    for (let one = 0; one < 1_000_000; one += 1) set.add(one * 281_474_976);

    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(12e6);
    expect([0, 281_474_976, 1].map(set.has)).toEqual([true, true, false]);
  });
});
