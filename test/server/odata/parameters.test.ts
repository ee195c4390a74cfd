import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseParameters, replaceParameters, unquote } from '../../../server/odata/parameters.ts';

describe('the parameters of a query', () => {
  it.each([
    ['', {}],
    ['&&', {}],
    ["$filter=Id%20eq%20'x'&$top=30", { $filter: "Id eq 'x'", $top: '30' }],
    [
      '%24filter=Id+eq+%27x%27+and+IsLatestVersion+eq+true',
      { $filter: "Id eq 'x' and IsLatestVersion eq true" },
    ],
    ['$FILTER=a=b=c', { $filter: 'a=b=c' }],
    ['versionConstraints=[1.0,2.0)|[3.0]&id[]=x', { versionconstraints: '[1.0,2.0)|[3.0]', 'id[]': 'x' }],
    ['__proto__=1&constructor=2', { ['__proto__']: '1', constructor: '2' }],
    ['hijack', { hijack: '' }],
    ['$top=30&%24top=30', { $top: '30' }],
    ["searchTerm='azure%20%2B''%20b%20'", { searchterm: "'azure +'' b '" }],
  ])('are read from %s', (rawQuery, parameters) => {
    expect([...parseParameters(rawQuery)]).toEqual(Object.entries(parameters));
  });

  it('keep the plus signs of a client that does not write blanks this way', () => {
    const read = parseParameters("$filter=substringof('c++',Tags)%20eq%20true&searchTerm='c%2B%2B'", '+');
    expect([...read.values()]).toEqual(["substringof('c++',Tags) eq true", "'c++'"]);
    const mixed = parseParameters("$filter=Id+eq+%27c++%27+or+Title+eq+'it''s+'&$orderby=Id+desc", '+');
    expect([...mixed.values()]).toEqual(["Id eq 'c++' or Title eq 'it''s+'", 'Id desc']);
  });

  it('are refused when one would be ignored', () => {
    expect(() => parseParameters('$filter=Listed&%24filter=true')).toThrowError(
      expect.objectContaining({
        code: 'QUERY_INVALID',
        message: expect.stringContaining('$filter is given twice'),
      }),
    );
  });

  it.each(['%', 'a=%zz', '%E0%A4%A=1'])('are refused when the escape %s is broken', (rawQuery) => {
    expect(() => parseParameters(rawQuery)).toThrowError(expect.objectContaining({ code: 'QUERY_INVALID' }));
  });

  it('decode whatever a client encoded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        expect(parseParameters(`id=${encodeURIComponent(value)}`).get('id')).toBe(value);
        expect(parseParameters(new URLSearchParams({ id: value }).toString()).get('id')).toBe(value);
      }),
    );
  });

  it('stay as they were spelled in a next link, except for the page', () => {
    expect(
      replaceParameters("id='x'&%24skip=100&$filter=Id%20eq%20'a'&semVerLevel=2.0.0", { $skip: 200 }),
    ).toBe("id='x'&$filter=Id%20eq%20'a'&semVerLevel=2.0.0&$skip=200");
    expect(replaceParameters('', { $skip: 100 })).toBe('$skip=100');
  });

  it.each([
    ["'x'", 'x'],
    [" 'it''s' ", "it's"],
    ["'o'brien'", "o'brien"],
    ['x', 'x'],
    ["''", ''],
    ['', ''],
  ])('lose the quotes of %s', (value, text) => {
    expect(unquote('id', value)).toBe(text);
  });

  it('are refused with an open quote', () => {
    expect(() => unquote('searchTerm', "'x")).toThrow('searchTerm has no closing quote');
    expect(() => unquote('searchTerm', "'")).toThrow('searchTerm has no closing quote');
  });
});
