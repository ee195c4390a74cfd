import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Expression } from '../../../server/catalog/query.ts';
import { FeedError } from '../../../server/errors.ts';
import { parseFilter } from '../../../server/odata/filter.ts';
import { printFilter } from './print-filter.ts';

/** The filter with every bracket written out: shows what binds to what. */
function bracketed(text: string): string {
  return printFilter(parseFilter(text));
}

function problemOf(text: string): string {
  try {
    parseFilter(text);
  } catch (error) {
    if (error instanceof FeedError && error.code === 'QUERY_INVALID') return error.message;
    throw error;
  }
  return 'no problem';
}

describe('$filter', () => {
  it.each([
    // What clients send: spec nuget-v2 4.1, 4.2, 5, 7, wire/*.jsonl.
    ['IsLatestVersion', 'IsLatestVersion'],
    ["(tolower(Id) eq 'delve') and IsLatestVersion", "((tolower(Id)) eq ('delve')) and (IsLatestVersion)"],
    ["tolower(Id) eq 'delve'", "(tolower(Id)) eq ('delve')"],
    [
      "substringof('lower',tolower(Id)) and IsLatestVersion",
      "(substringof('lower',tolower(Id))) and (IsLatestVersion)",
    ],
    [
      "((substringof('a',tolower(Id))) and substringof('a',Tags)) and IsLatestVersion",
      "((substringof('a',tolower(Id))) and (substringof('a',Tags))) and (IsLatestVersion)",
    ],
    [
      "(startswith(tolower(Id),'d')) and IsAbsoluteLatestVersion",
      "(startswith(tolower(Id),'d')) and (IsAbsoluteLatestVersion)",
    ],
    [
      "((Id ne null) and substringof('t',tolower(Id)))",
      "((Id) ne (null)) and (substringof('t',tolower(Id)))",
    ],
    [
      "(IsDownloadCacheAvailable and false) or (PackageTestResultStatus ne 'Failing')",
      "((IsDownloadCacheAvailable) and (false)) or ((PackageTestResultStatus) ne ('Failing'))",
    ],
    ['IsApproved', 'IsApproved'],
    ["Id eq 'X' and IsLatestVersion eq true", "((Id) eq ('X')) and ((IsLatestVersion) eq (true))"],
    [
      "NormalizedVersion ge '1.0.0' and NormalizedVersion le '2.0.0' and IsPrerelease eq false and Id eq 'X'",
      "((((NormalizedVersion) ge ('1.0.0')) and ((NormalizedVersion) le ('2.0.0'))) and ((IsPrerelease) eq (false))) and ((Id) eq ('X'))",
    ],
    ["substringof('t', Tags) eq true", "(substringof('t',Tags)) eq (true)"],
    ["startswith(Id, 'p') and endswith(Id , 's')", "(startswith(Id,'p')) and (endswith(Id,'s'))"],
    // The rest of the grammar: spec nuget-v2 section 8.
    ['1 eq 1', '(1) eq (1)'],
    ['DownloadCount gt 10L', '(DownloadCount) gt (10)'],
    ['-1 lt VersionDownloadCount', '(-1) lt (VersionDownloadCount)'],
    ["Published gt datetime'2026-01-31T10:00:00'", "(Published) gt (datetime'2026-01-31T10:00:00.000Z')"],
    ["Created le datetime'2026-01-31T12:00:00.5+02:00'", "(Created) le (datetime'2026-01-31T10:00:00.500Z')"],
    ["LastEdited ne datetime'2026-01-31'", "(LastEdited) ne (datetime'2026-01-31T00:00:00.000Z')"],
    ["Title eq 'it''s'", "(Title) eq ('it''s')"],
    ["not substringof('x',tolower(Tags))", "not (substringof('x',tolower(Tags)))"],
    ['not Listed and Listed or Listed', '((not (Listed)) and (Listed)) or (Listed)'],
    ['Listed or Listed and Listed', '(Listed) or ((Listed) and (Listed))'],
    ["(Listed)and(Listed)or(Id eq'x')", "((Listed) and (Listed)) or ((Id) eq ('x'))"],
    [
      "length(trim(toupper(concat(Id,Title)))) ge indexof(Id,'a')",
      "(length(trim(toupper(concat(Id,Title))))) ge (indexof(Id,'a'))",
    ],
    ["  ISLATESTVERSION  AND  TOLOWER( id )  EQ  'a'  ", "(IsLatestVersion) and ((tolower(Id)) eq ('a'))"],
    ['Title eq null', '(Title) eq (null)'],
    ["Id eq 'and or not (''' or Listed", "((Id) eq ('and or not (''')) or (Listed)"],
  ])('reads %s', (text, meaning) => {
    expect(bracketed(text)).toBe(meaning);
  });

  it.each([
    ['', 'it ends too early'],
    ["substringof('o'brien',tolower(Id))", `at "brien',tolower(Id))"`],
    ["Id eq 'o", 'it ends too early'],
    ['(Listed', 'it ends too early'],
    ['Listed)', 'at ")"'],
    ['Listed Listed', 'at "Listed"'],
    ['Id eq', 'it ends too early'],
    ['Owner eq 1', 'no property Owner'],
    ["soundex(Id) eq 'd'", 'no function soundex'],
    ['startswith(Id)', 'startswith takes 2 parameters, not 1'],
    ['startswith(Id,1)', 'parameter 2 of startswith must be text or null, not number'],
    ['Id', 'the filter must be boolean, not text'],
    ['null', 'the filter must be boolean, not null'],
    ['Id eq 1', 'text eq number cannot be compared'],
    ['Listed gt true', 'boolean gt boolean cannot be compared'],
    ["Published gt '2026-01-01'", 'date gt text cannot be compared'],
    ["Published gt datetime'soon'", '"soon" is not a date'],
    ["Published gt datetime'2026-02-31T25:00:00'", 'is not a date'],
    ['not Id', 'what follows not must be boolean'],
    ['Id and Listed', 'what stands before and must be boolean'],
    ["Listed or 'x'", 'what stands after or must be boolean'],
    ['DownloadCount add 1 eq 2', 'at "add 1 eq 2"'],
    [`DownloadCount eq ${'9'.repeat(400)}`, 'a number is too large'],
    ["Id eq guid'x'", `at "'x'"`],
  ])('refuses %s and says why', (text, reason) => {
    expect(problemOf(text)).toContain(reason);
  });

  it('answers 2 KB of anything without recursing deeply', () => {
    expect(problemOf('('.repeat(2000))).toContain('nested deeper than 50');
    expect(problemOf('not('.repeat(45))).toContain('too early');
    expect(problemOf('not '.repeat(500))).toContain('too early');
    expect(problemOf(`${'not '.repeat(500)}Listed`)).toContain('nested deeper than 50');
    expect(problemOf(`${'tolower('.repeat(49)}x`)).toContain('it ends too early');
    expect(problemOf(`${'tolower('.repeat(200)}Id${')'.repeat(200)}`)).toContain('nested deeper than 50');
    expect(problemOf(`${'true eq '.repeat(200)}true`)).toContain('nested deeper than 50');
    expect(problemOf("'".repeat(2001))).not.toBe('no problem');
    expect(problemOf(`Id eq '${'x'.repeat(2048)}'`)).toContain('longer than 2048 characters');
  });

  it('takes a chain of and, or as long as fits', () => {
    const chain = Array.from({ length: 120 }, () => 'Listed').join(' and ');
    expect(problemOf(chain)).toBe('no problem');
    expect(problemOf(`${'('.repeat(49)}Listed${')'.repeat(49)}`)).toBe('no problem');
  });

  it('parses back what it printed', () => {
    fc.assert(
      fc.property(booleanExpression, (expression) => {
        expect(parseFilter(printFilter(expression))).toEqual(expression);
      }),
    );
  });

  it('throws nothing but QUERY_INVALID, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 3000 }), almostFilter),
        (text) => {
          problemOf(text);
        },
      ),
    );
  });
});

const text = fc.record({ kind: fc.constant('text' as const), value: fc.string({ maxLength: 10 }) });
const textProperty = fc
  .constantFrom('Id', 'Version', 'Title', 'Tags')
  .map((name) => ({ kind: 'property', name }) as Expression);
const flag = fc.oneof(
  fc.constantFrom('Listed', 'IsLatestVersion').map((name) => ({ kind: 'property', name }) as Expression),
  fc.boolean().map((value): Expression => ({ kind: 'boolean', value })),
);
const number = fc.integer().map((value): Expression => ({ kind: 'number', value }));
const date = fc
  .date({ min: new Date('1900-01-01T00:00:00Z'), max: new Date('2200-01-01T00:00:00Z'), noInvalidDate: true })
  .map((value): Expression => ({ kind: 'date', value: value.toISOString() }));
const operator = fc.constantFrom(
  'eq' as const,
  'ne' as const,
  'gt' as const,
  'ge' as const,
  'lt' as const,
  'le' as const,
);

const booleanExpression: fc.Arbitrary<Expression> = fc
  .letrec<{ text: Expression; flag: Expression }>((tie) => ({
    text: fc.oneof(
      { maxDepth: 3 },
      text,
      textProperty,
      fc.record({
        kind: fc.constant('call' as const),
        name: fc.constantFrom('tolower' as const, 'trim' as const),
        args: fc.tuple(tie('text')),
      }),
    ),
    flag: fc.oneof(
      { maxDepth: 3 },
      flag,
      fc.record({ kind: fc.constant('compare' as const), operator, left: tie('text'), right: tie('text') }),
      fc.record({ kind: fc.constant('compare' as const), operator, left: number, right: number }),
      fc.record({
        kind: fc.constant('compare' as const),
        operator,
        left: date,
        right: fc.constant({ kind: 'property', name: 'Published' } as const),
      }),
      fc.record({
        kind: fc.constant('call' as const),
        name: fc.constantFrom('substringof' as const, 'endswith' as const),
        args: fc.tuple(tie('text'), tie('text')),
      }),
      fc.record({ kind: fc.constant('not' as const), operand: tie('flag') }),
      fc.record({
        kind: fc.constantFrom('and' as const, 'or' as const),
        left: tie('flag'),
        right: tie('flag'),
      }),
    ),
  }))
  .flag.filter((expression) => printFilter(expression).length <= 2048);

const almostFilter = fc
  .array(
    fc.constantFrom(
      '(',
      ')',
      ' ',
      ',',
      "'",
      'not',
      'and',
      'or',
      'eq',
      'Id',
      'Listed',
      'tolower',
      'datetime',
      '1',
      '-',
      'null',
      'true',
    ),
    { maxLength: 60 },
  )
  .map((words) => words.join(''));
