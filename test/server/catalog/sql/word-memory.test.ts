import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createWordMemory } from '../../../../server/catalog/sql/word-memory.ts';

const words = ['go', 'lint', 'o', '', 'nothing'];
const texts = ['go', 'golint', 'a linter', '', 'nothing goes'];

describe('the memory of words', () => {
  it('says what the text says, whatever was searched for and changed before', () => {
    const step = fc.record({
      word: fc.constantFrom(...words),
      slot: fc.nat(6),
      newText: fc.option(fc.constantFrom(...texts), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(step), fc.integer({ min: 0, max: 60 }), (steps, limit) => {
        const memory = createWordMemory(limit);
        const kept: string[] = [''];
        for (const { word, slot: wanted, newText } of steps) {
          const slot = Math.min(wanted, kept.length);
          if (newText !== undefined) {
            kept[slot] = newText;
            memory.forget(slot);
          }
          const contains = memory.finder(word, kept.length);
          for (const [at, text] of kept.entries()) {
            expect(contains({ slot: at, text })).toBe(text.includes(word));
          }
        }
      }),
    );
  });

  it('looks into a text once for each word that it remembers', () => {
    const memory = createWordMemory(4);
    let looks = 0;
    const text = {
      slot: 0,
      get text() {
        looks += 1;
        return 'go lint';
      },
    };
    const find = (word: string) => memory.finder(word, 1)(text);
    // Two bytes each: two words fit.
    expect(['go', 'go', 'lint', 'go', 'lint'].map(find)).toEqual([true, true, true, true, true]);
    expect(looks).toBe(2);
    expect([find('x'), find('lint'), find('go')]).toEqual([false, true, true]);
    expect(looks).toBe(4);
  });
});
