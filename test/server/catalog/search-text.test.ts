import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contains, readSearchText } from '../../../server/catalog/search-text.ts';
import { FeedError } from '../../../server/errors.ts';

describe('the text of a search', () => {
  it.each([
    ['', [], 0],
    ['  go   debugger ', ['go', 'debugger'], 0],
    ['http://x', ['http://x'], 0],
    ['constructor:x', ['constructor:x'], 0],
    ['id:', ['id:'], 0],
    ['tag:""', ['tag:""'], 0],
    ['id:del', [], 1],
    ['ID:"del" tags:go word', ['word'], 2],
    ['packageid:a packageid:b', [], 1],
    ['tag:a tags:b author:x authors:y owner:x owners:y', [], 3],
    ['title:"Go debugger" rest', ['rest'], 1],
    ['"go debugger"', ['go debugger'], 0],
    ['go "debugger', ['go', '"debugger'], 0],
    ['tag:"open', [], 1],
    ['a"b c"', ['a"b', 'c"'], 0],
  ] as const)('%j has the words %j and %d conditions', (text, words, conditions) => {
    const found = readSearchText(text, 'q');

    expect([found.words, found.where.length]).toEqual([words, conditions]);
  });

  it('means either when a field is named twice', () => {
    expect(readSearchText('id:a id:B', 'q').where).toEqual([
      { kind: 'or', left: contains('Id', 'a'), right: contains('Id', 'b') },
    ]);
  });

  it.each(['tag:Go', 'tags:go', 'TAG:"Go"'])('asks for a whole tag: %s', (text) => {
    expect(readSearchText(text, 'q').where).toEqual([contains('Tags', ' go ')]);
  });

  it('keeps the blanks of what is in quotes', () => {
    expect(readSearchText('title:"Go  Debugger"', 'q').where).toEqual([contains('Title', 'go  debugger')]);
    expect(readSearchText('tags:"a,b c"', 'q')).toEqual(readSearchText('tag:"a b c"', 'q'));
  });

  it('is refused with more words than a search may have', () => {
    expect(() => readSearchText('a '.repeat(31), 'searchTerm')).toThrow(FeedError);
    expect(() => readSearchText('tag:a '.repeat(31), 'searchTerm')).toThrow(
      /searchTerm has more than 30 words/,
    );
    expect(readSearchText('a '.repeat(30), 'q').words).toHaveLength(30);
  });

  it.each([31, 7000])('is refused with %d tags, whatever is between them', (count) => {
    for (const text of [
      `tag:${'a,'.repeat(count)}`,
      `tags:"${'a '.repeat(count)}"`,
      `tag:, a tag:${'b;'.repeat(30)}`,
    ])
      expect(() => readSearchText(text, 'q')).toThrow(/q has more than 30 words/);
    expect(readSearchText(`tag:${'a,'.repeat(30)}`, 'q').where).toHaveLength(1);
  });

  it('loses no word', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[^\s:"]+$/), { maxLength: 30 }), (words) => {
        expect(readSearchText(words.join(' \t'), 'q').words).toEqual(words);
      }),
    );
  });

  it('makes one thing of each part, whatever the text', () => {
    const part = fc.constantFrom('tag:', 'id:', '"', ' ', 'go', ':', 'TAGS:"a b"', 'owner:x');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const { words, where } = readSearchText(parts.join(''), 'q');
        expect(words.length + where.length > 0).toBe(parts.join('').trim() !== '');
        expect(words).not.toContain('');
      }),
    );
  });
});
