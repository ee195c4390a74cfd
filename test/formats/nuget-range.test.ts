import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isEveryVersion,
  type NuGetRange,
  parseNuGetRange,
  printNuGetRange,
  rangeIncludes,
  rangeNeedsSemVer2,
} from '../../formats/nuget-range.ts';
import { compareNuGetVersions, type NuGetVersion, parseNuGetVersion } from '../../formats/nuget-version.ts';
import { rangeText, versionText } from './arbitraries.ts';

function version(text: string): NuGetVersion {
  const parsed = parseNuGetVersion(text);
  if (parsed === undefined) throw new Error(`${text} is no version`);
  return parsed;
}

function range(text: string): NuGetRange {
  const parsed = parseNuGetRange(text);
  if (parsed === undefined) throw new Error(`${text} is no range`);
  return parsed;
}

describe('NuGet range', () => {
  it.each([
    ['1.0', ['1.0', '1.0.0.1', '99.0'], ['0.9', '1.0-beta']],
    ['[1.0]', ['1.0', '1.0.0.0', '1.0+meta'], ['1.0.0.1', '0.9', '1.0-beta']],
    ['[1.0,2.0)', ['1.0', '1.9.9', '2.0-beta'], ['0.9', '2.0', '3.0']],
    ['(1.0,2.0]', ['1.0.0.1', '2.0'], ['1.0', '2.0.0.1']],
    ['(,2.0]', ['0.0', '2.0'], ['2.0.1']],
    ['(1.0,)', ['1.0.1'], ['1.0']],
    ['[1.0,]', ['1.0', '9.0'], ['0.9']],
    ['(, )', ['0.0', '9.0-beta'], []],
    [' [ 1.0 , 2.0 ) ', ['1.5'], ['2.0']],
    ['[1.22.0-beta.2]', ['1.22.0-BETA.2'], ['1.22.0-beta.1', '1.22.0']],
  ])('%j includes what it should', (text, inside, outside) => {
    expect(inside.filter((each) => !rangeIncludes(range(text), version(each)))).toEqual([]);
    expect(outside.filter((each) => rangeIncludes(range(text), version(each)))).toEqual([]);
  });

  it.each([
    '',
    ' ',
    '[]',
    '()',
    '[ ]',
    '(1.0)',
    '[1.0)',
    '(1.0]',
    '[1.0',
    '1.0]',
    '[2.0,1.0]',
    '(1.0,1.0]',
    '[1.0,1.0)',
    '[1.0,2.0,3.0]',
    '[a,b]',
    '[1.0,b]',
    '1.*',
    '*',
    '>=1.0',
    '[[1.0]]',
    '1.0,2.0',
    '1.0|2.0',
    '['.repeat(100_000),
    `[${','.repeat(100_000)}]`,
  ])('does not read %.20j', (text) => {
    expect(parseNuGetRange(text)).toBeUndefined();
  });

  it.each([
    ['1.0', '1.0'],
    ['[1.0,)', '1.0'],
    ['[1.0,1.0]', '[1.0]'],
    ['( , 2.0 ]', '(,2.0]'],
    ['[1.0, 2.0)', '[1.0,2.0)'],
    ['(,)', '(,)'],
    ['[,]', '(,)'],
  ])('prints %j as %s', (text, printed) => {
    expect(printNuGetRange(range(text))).toBe(printed);
  });

  it('knows which ranges mean any version', () => {
    expect(['(,)', '(, )', '[,]'].map((text) => isEveryVersion(range(text)))).toEqual([true, true, true]);
    expect(['0.0', '(,1.0)'].map((text) => isEveryVersion(range(text)))).toEqual([false, false]);
  });

  it.each([
    ['[1.0,2.0-beta1)', false],
    ['[1.0,2.0-beta.1)', true],
    ['1.0.0+meta', true],
    ['(,)', false],
  ])('%s needs SemVer 2: %s', (text, expected) => {
    expect(rangeNeedsSemVer2(range(text))).toBe(expected);
  });
});

describe('NuGet range, whatever it is', () => {
  it('says the same after printing and reading it', () => {
    fc.assert(
      fc.property(rangeText, versionText, (text, candidate) => {
        const parsed = parseNuGetRange(text);
        fc.pre(parsed !== undefined);
        const printed = printNuGetRange(parsed);
        expect(parseNuGetRange(printed)).toEqual(parsed);
        expect(printNuGetRange(range(printed))).toBe(printed);
        expect(rangeIncludes(range(printed), version(candidate))).toBe(
          rangeIncludes(parsed, version(candidate)),
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('includes its included ends, excludes its excluded ones, and includes what lies between', () => {
    fc.assert(
      fc.property(rangeText, versionText, (text, candidate) => {
        const parsed = parseNuGetRange(text);
        fc.pre(parsed !== undefined);
        const { min, max } = parsed;
        if (min !== undefined) expect(rangeIncludes(parsed, min)).toBe(parsed.isMinIncluded);
        if (max !== undefined) expect(rangeIncludes(parsed, max)).toBe(parsed.isMaxIncluded);
        const isBetween =
          (min === undefined || compareNuGetVersions(version(candidate), min) > 0) &&
          (max === undefined || compareNuGetVersions(version(candidate), max) < 0);
        if (isBetween) expect(rangeIncludes(parsed, version(candidate))).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
