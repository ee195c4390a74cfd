import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createWordMemory } from '../../../../server/catalog/sql/word-memory.ts';

const long = 'long '.repeat(300);
const words = ['go', 'lint', 'o', '', 'nothing', long];
const texts = ['go', 'golint', 'a linter', '', 'nothing goes', `go ${long}`];
/** What a word takes besides its bytes for texts. */
const bytesPerWord = 4096;

describe('the memory of words', () => {
  it('says what the text says, whatever was searched for and changed before', () => {
    const step = fc.record({
      word: fc.constantFrom(...words),
      slot: fc.nat(6),
      newText: fc.option(fc.constantFrom(...texts), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(step), fc.integer({ min: 0, max: 4 * bytesPerWord }), (steps, limit) => {
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

  /** Finds words in one text, and counts how often it looked into it. */
  function createSearch(limit?: number) {
    const memory = createWordMemory(limit);
    let looks = 0;
    const text = {
      slot: 0,
      get text() {
        looks += 1;
        return `go lint ${long}`;
      },
    };
    return { find: (word: string) => memory.finder(word, 1)(text), looks: () => looks };
  }

  it('looks into a text once for each word that it remembers', () => {
    // Two bytes for the text each: two words fit.
    const { find, looks } = createSearch(2 * (bytesPerWord + 2));
    expect(['go', 'go', 'lint', 'go', 'lint'].map(find)).toEqual([true, true, true, true, true]);
    expect(looks()).toBe(2);
    expect([find('x'), find('lint'), find('go')]).toEqual([false, true, true]);
    expect(looks()).toBe(4);
  });

  it('remembers some hundred words where there are few texts, and none that is very long', () => {
    const { find, looks } = createSearch();
    for (let at = 1; at <= 1000; at += 1) find(`word${at}`);
    expect([find('word1000'), find('word700'), looks()]).toEqual([false, false, 1000]);
    expect([find('word400'), looks()]).toEqual([false, 1001]);
    expect([find(long), find(long), looks()]).toEqual([true, true, 1003]);
  });
});
