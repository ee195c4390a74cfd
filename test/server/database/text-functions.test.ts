import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textFunctionSources, textFunctions } from '../../../server/database/text-functions.ts';

const repetitive = fc
  .tuple(fc.constantFrom('a', 'b', 'ab', 'é', '😀'), fc.nat({ max: 400 }), fc.constantFrom('', 'a', 'b'))
  .map(([part, count, end]) => part.repeat(count) + end);

describe('the text functions', () => {
  it('find a part where JavaScript finds it, however long it is and however a text repeats itself', () => {
    fc.assert(
      fc.property(repetitive, repetitive, repetitive, (before, part, after) => {
        const texts = [before + part + after, before + after];
        for (const text of texts) expect(textFunctions.text_index?.(text, part)).toBe(text.indexOf(part));
      }),
    );
  });

  it('finish with long texts that repeat themselves', () => {
    // A thousand times as long as a test may take, if every place were compared with the whole part.
    expect(textFunctions.text_index?.('a'.repeat(2 ** 22), `b${'a'.repeat(2 ** 20)}`)).toBe(-1);
  });

  it.each(textFunctionSources)(
    'send %s to another thread as source code with the same meaning',
    (name, source) => {
      const there: unknown = runInNewContext(`(${source})`);
      if (typeof there !== 'function') throw new TypeError(`${name} is no function there`);
      const parts = ['', 'a', 'Ärger', 'a'.repeat(300), `${'a'.repeat(300)}b`, ' blank '];
      for (const text of parts.flatMap((one) => parts.map((other) => one + other))) {
        for (const part of parts) expect(there(text, part)).toBe(textFunctions[name]?.(text, part));
      }
    },
  );
});
