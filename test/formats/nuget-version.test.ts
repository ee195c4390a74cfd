import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareNuGetVersions,
  isPrerelease,
  isSemVer1Readable,
  isSemVer2,
  type NuGetVersion,
  normalizeVersion,
  parseNuGetVersion,
  printNormalizedVersion,
  versionSortKey,
} from '../../formats/nuget-version.ts';
import { versionText } from './arbitraries.ts';

function version(text: string): NuGetVersion {
  const parsed = parseNuGetVersion(text);
  if (parsed === undefined) throw new Error(`${text} is no version`);
  return parsed;
}

const versions = versionText.map(version);

describe('NuGet version', () => {
  it.each([
    ['5', '5.0.0'],
    ['1.0', '1.0.0'],
    ['1.0.0.0', '1.0.0'],
    ['1.01.0', '1.1.0'],
    ['1.2.3.4', '1.2.3.4'],
    [' 1.2 . 3 ', '1.2.3'],
    ['1.22.0-beta.1', '1.22.0-beta.1'],
    ['1.22.0.1-Beta.1', '1.22.0.1-Beta.1'],
    ['1.0.0-beta+sha.0001', '1.0.0-beta'],
    ['1.0.0+01', '1.0.0'],
    ['1.0.0--', '1.0.0--'],
    ['1.0.0-0', '1.0.0-0'],
    ['1.0.0-0a', '1.0.0-0a'],
    ['2147483647.0.0', '2147483647.0.0'],
    ['00000000000001.0', '1.0.0'],
  ])('normalises %j to %s', (text, normalized) => {
    expect(printNormalizedVersion(version(text))).toBe(normalized);
    expect(normalizeVersion(text)).toBe(normalized);
  });

  it.each([
    '',
    ' ',
    'a',
    'v1.0',
    '1.',
    '.1',
    '1..0',
    '1.2.3.4.5',
    '-1.0',
    '2147483648.0',
    '1.0.0-',
    '1.0.0-a..b',
    '1.0.0-01',
    '1.0.0-beta.01',
    '1.0.0-b_c',
    '1.0.0+',
    '1.0.0+a+b',
    '1.0.0-ä',
    '1.0\n.0',
    '١.0.0',
    `1.0.0-${'a'.repeat(300)}`,
  ])('does not read %j', (text) => {
    expect(parseNuGetVersion(text)).toBeUndefined();
  });

  it('keeps the spelling it was given, without blanks', () => {
    expect(version(' 1.01 ').original).toBe('1.01');
  });

  // The release train of contract section 6 and the cases of spec nuget-v2 12.1.
  it.each([
    ['1.22.0-beta.1', '1.22.0-beta.2'],
    ['1.22.0-beta.2', '1.22.0-beta.10'],
    ['1.22.0-beta.10', '1.22.0'],
    ['1.22.0', '1.22.0.1-beta.1'],
    ['1.22.0.1-beta.1', '1.22.0.1'],
    ['1.22.0.1', '1.22.0.2-beta.1'],
    ['1.22.0.2', '1.22.1-beta.1'],
    ['1.0.0-alpha', '1.0.0-alpha.1'],
    ['1.0.0-alpha.1', '1.0.0-alpha.beta'],
    ['1.0.0-99', '1.0.0-a'],
    ['1.0.0-2147483647', '1.0.0-2147483648'],
    ['1.0.0-100000000000', '1.0.0-99999999999'],
    ['1.0.0-alpha', '1.0.0-alpha-'],
    ['1.0.0-alpha.z', '1.0.0-alpha-'],
    ['1.0.0-ALPHA', '1.0.0-beta'],
    ['9.0', '10.0'],
  ])('orders %s below %s', (older, newer) => {
    expect(compareNuGetVersions(version(older), version(newer))).toBeLessThan(0);
    expect(compareNuGetVersions(version(newer), version(older))).toBeGreaterThan(0);
    expect(versionSortKey(version(older)) < versionSortKey(version(newer))).toBe(true);
  });

  it.each([
    ['1.0', '1.0.0.0'],
    ['1.0.0-BETA.1', '1.0.0-beta.1'],
    ['1.0.0+a', '1.0.0+b'],
  ])('treats %s and %s as the same', (a, b) => {
    expect(compareNuGetVersions(version(a), version(b))).toBe(0);
    expect(versionSortKey(version(a))).toBe(versionSortKey(version(b)));
  });

  it.each([
    ['1.0.0', { prerelease: false, semVer2: false, semVer1: true }],
    ['1.0.0-beta1', { prerelease: true, semVer2: false, semVer1: true }],
    ['1.0.0-beta.1', { prerelease: true, semVer2: true, semVer1: false }],
    ['1.0.0+meta', { prerelease: false, semVer2: true, semVer1: false }],
    ['1.0.0-0test', { prerelease: true, semVer2: false, semVer1: false }],
    ['1.0.0--a', { prerelease: true, semVer2: false, semVer1: false }],
    ['1.22.0.1', { prerelease: false, semVer2: false, semVer1: true }],
  ])('knows who can read %s', (text, expected) => {
    const parsed = version(text);
    expect({
      prerelease: isPrerelease(parsed),
      semVer2: isSemVer2(parsed),
      semVer1: isSemVer1Readable(parsed),
    }).toEqual(expected);
  });
});

describe('NuGet version, whatever it is', () => {
  it('is normalized only once, into the same version', () => {
    fc.assert(
      fc.property(versions, (a) => {
        const again = version(printNormalizedVersion(a));
        expect(printNormalizedVersion(again)).toBe(printNormalizedVersion(a));
        expect(compareNuGetVersions(a, again)).toBe(0);
      }),
    );
  });

  it('has a total order: antisymmetric and transitive, equal to itself', () => {
    fc.assert(
      fc.property(versions, versions, versions, (a, b, c) => {
        expect(compareNuGetVersions(a, a)).toBe(0);
        expect(Math.sign(compareNuGetVersions(a, b))).toBe(0 - Math.sign(compareNuGetVersions(b, a)));
        const [low, middle, high] = [a, b, c].toSorted(compareNuGetVersions) as [
          NuGetVersion,
          NuGetVersion,
          NuGetVersion,
        ];
        expect(compareNuGetVersions(low, middle)).toBeLessThanOrEqual(0);
        expect(compareNuGetVersions(middle, high)).toBeLessThanOrEqual(0);
        expect(compareNuGetVersions(low, high)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 1000 },
    );
  });

  it('sorts by its key as by comparison, in UTF-16 and in bytes', () => {
    fc.assert(
      fc.property(versions, versions, (a, b) => {
        const keys = [versionSortKey(a), versionSortKey(b)] as const;
        const expected = Math.sign(compareNuGetVersions(a, b));
        expect(keys[0] < keys[1] ? -1 : Number(keys[0] > keys[1])).toBe(expected);
        expect(Buffer.compare(Buffer.from(keys[0]), Buffer.from(keys[1]))).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('is the same version exactly when the normalized text is, in any case', () => {
    fc.assert(
      fc.property(versions, versions, (a, b) => {
        const isSameText =
          printNormalizedVersion(a).toLowerCase() === printNormalizedVersion(b).toLowerCase();
        expect(compareNuGetVersions(a, b) === 0).toBe(isSameText);
      }),
      { numRuns: 2000 },
    );
  });

  it('is read from any text without throwing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const parsed = parseNuGetVersion(text);
        if (parsed !== undefined) expect(parsed.numbers.every(Number.isInteger)).toBe(true);
      }),
    );
  });
});
