import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FeedError } from '../../../server/errors.ts';
import { contains, readSearchText } from '../../../server/v3/search-text.ts';

describe('the text of a search', () => {
  it.each([
    ['', [], 0],
    ['  go   debugger ', ['go', 'debugger'], 0],
    ['http://x', ['http://x'], 0],
    ['constructor:x', ['constructor:x'], 0],
    ['id:', ['id:'], 0],
    ['id:del', [], 1],
    ['ID:"del" tags:go word', ['word'], 2],
    ['packageid:a packageid:b', [], 1],
  ] as const)('%j has the words %j and %d conditions', (text, words, conditions) => {
    const found = readSearchText(text);

    expect([found.words, found.where.length]).toEqual([words, conditions]);
  });

  it('means either when a field is named twice', () => {
    expect(readSearchText('id:a id:B').where).toEqual([
      { kind: 'or', left: contains('Id', 'a'), right: contains('Id', 'b') },
    ]);
  });

  it('is refused with more words than a search may have', () => {
    expect(() => readSearchText('a '.repeat(31))).toThrow(FeedError);
    expect(readSearchText('a '.repeat(30)).words).toHaveLength(30);
  });

  it('loses no word', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[^\s:]+$/), { maxLength: 30 }), (words) => {
        expect(readSearchText(words.join(' \t')).words).toEqual(words);
      }),
    );
  });
});
