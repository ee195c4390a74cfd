import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareGoVersions, parseGoVersion, stdlibVersion } from '../../vulnerabilities/go-version.ts';
import { findFix, isAffected } from '../../vulnerabilities/match.ts';
import type { Event } from '../../vulnerabilities/schema.ts';

const semver = (...events: Event[]) => ({ type: 'SEMVER' as const, events });
const other = { type: 'GIT' };

describe('isAffected', () => {
  // the table of govulncheck's own internal/semver/affects_test.go, then cases of the database itself
  it.each<[string, Parameters<typeof isAffected>[0], string, boolean]>([
    ['no ranges: everything', [], 'v0.0.0', true],
    ['no events: everything', [semver()], 'v0.0.0', true],
    ['from the beginning', [semver({ introduced: '0' })], 'v0.0.0', true],
    ['before the fix', [semver({ introduced: '0' }, { fixed: '2.0.0' })], 'v1.0.0', true],
    ['after the introduction', [semver({ introduced: '0.0.1' })], 'v1.0.0', true],
    ['left-closed', [semver({ introduced: '1.0.0' })], 'v1.0.0', true],
    ['right-open', [semver({ introduced: '0' }, { fixed: '1.0.0' })], 'v1.0.0', false],
    ['behind the fix', [semver({ introduced: '1.0.0' }, { fixed: '2.0.0' })], 'v3.0.0', false],
    [
      'introduced again',
      [semver({ introduced: '1.0.0' }, { fixed: '2.0.0' }, { introduced: '3.0.0' })],
      'v3.0.0',
      true,
    ],
    [
      'between two',
      [semver({ introduced: '0' }, { fixed: '1.18.6' }, { introduced: '1.19.0' }, { fixed: '1.19.1' })],
      'v1.18.6',
      false,
    ],
    [
      'introduced twice',
      [semver({ introduced: '0' }, { introduced: '1.19.0' }, { fixed: '1.19.1' })],
      'v1.18.6',
      true,
    ],
    [
      'events out of order',
      [semver({ introduced: '1.19.0' }, { fixed: '1.19.1' }, { introduced: '0' }, { fixed: '1.18.6' })],
      'v1.18.1',
      true,
    ],
    ['only ranges of another type: everything', [other], 'v3.0.0', true],
    ['beside one of another type', [other, semver({ introduced: '4.0.0' })], 'v3.0.0', false],
    [
      'in the second range',
      [semver({ introduced: '4.0.0' }), semver({ introduced: '3.0.0' })],
      'v3.0.0',
      true,
    ],
    [
      'the last affected itself',
      [semver({ introduced: '1.0.0' }, { last_affected: '1.5.0' })],
      'v1.5.0',
      true,
    ],
    [
      'after the last affected',
      [semver({ introduced: '1.0.0' }, { last_affected: '1.5.0' })],
      'v1.5.1',
      false,
    ],
    [
      'a pseudo version before the fix',
      [semver({ introduced: '0' }, { fixed: '0.0.0-20220906165146-f3363e06e74c' })],
      'v0.0.0-20220722155237-a158d28d115b',
      true,
    ],
    [
      'a pseudo version behind it',
      [semver({ introduced: '0' }, { fixed: '0.0.0-20220906165146-f3363e06e74c' })],
      'v0.0.0-20221001000000-0123456789ab',
      false,
    ],
    [
      'a pseudo version after a release',
      [semver({ introduced: '0' }, { fixed: '1.2.4' })],
      'v1.2.4-0.20240102030405-0123456789ab',
      true,
    ],
    [
      '+incompatible counts for nothing',
      [semver({ introduced: '0' }, { fixed: '20.10.9+incompatible' })],
      'v20.10.9+incompatible',
      false,
    ],
    [
      'the first release candidate of a minor',
      [semver({ introduced: '1.26.0-0' }, { fixed: '1.26.0-rc.2' })],
      'v1.26.0-rc.1',
      true,
    ],
    ['the release before a -0', [semver({ introduced: '1.26.0-0' })], 'v1.25.9', false],
    ['a shortened version', [semver({ introduced: '1.18' })], 'v1.18.0', true],
  ])('%s', (_, ranges, version, expected) => {
    expect(isAffected(ranges, version)).toBe(expected);
  });

  it('does not depend on the order of the events', () => {
    fc.assert(
      fc.property(
        events,
        fc.array(fc.nat(), { minLength: 8, maxLength: 8 }),
        version,
        (given, keys, found) => {
          const shuffled = given
            .map((event, at) => ({ event, key: keys[at] ?? 0 }))
            .sort((a, b) => a.key - b.key);

          expect(isAffected([semver(...shuffled.map(({ event }) => event))], found)).toBe(
            isAffected([semver(...given)], found),
          );
        },
      ),
    );
  });

  it('agrees with the intervals that the events were made from', () => {
    fc.assert(
      fc.property(intervals, version, (given, found) => {
        const range = semver(...given.flatMap(([from, to]) => [{ introduced: from }, { fixed: to }]));
        const isIn = given.some(
          ([from, to]) => compareGoVersions(from, found) <= 0 && compareGoVersions(found, to) < 0,
        );

        expect(isAffected([range], found)).toBe(isIn);
      }),
    );
  });
});

describe('findFix', () => {
  // from govulncheck's comment at earliestValidFix
  it.each<[string, Parameters<typeof isAffected>[0], string, string | undefined]>([
    [
      'of the range the version is in',
      [semver({ introduced: '0.1.0' }, { fixed: '0.1.9' }, { introduced: '1.0.0' }, { fixed: '2.0.0' })],
      'v1.0.0',
      '2.0.0',
    ],
    [
      'not one that another range takes back',
      [
        semver({ introduced: '1.0.0' }, { fixed: '1.5.0' }, { introduced: '2.0.0' }, { fixed: '2.1.0' }),
        semver({ introduced: '1.4.0' }, { fixed: '1.6.0' }),
      ],
      'v1.0.0',
      '1.6.0',
    ],
    ['none', [semver({ introduced: '0' })], 'v1.0.0', undefined],
  ])('is %s', (_, ranges, found, expected) => {
    expect(findFix(ranges, found)).toBe(expected);
  });

  it('is above the version and not affected itself', () => {
    fc.assert(
      fc.property(intervals, version, (given, found) => {
        const range = semver(...given.flatMap(([from, to]) => [{ introduced: from }, { fixed: to }]));
        const fix = findFix([range], found);

        expect(fix === undefined || (compareGoVersions(fix, found) > 0 && !isAffected([range], fix))).toBe(
          true,
        );
        if (isAffected([range], found)) expect(fix).toBeDefined();
      }),
    );
  });
});

describe('the version of the standard library', () => {
  // the table of govulncheck's GoTagToSemver, and what toolchains say of themselves
  it.each([
    ['go1.19', 'v1.19.0'],
    ['go1.20.1', 'v1.20.1'],
    ['go1.21rc2', 'v1.21.0-rc.2'],
    ['go1.9beta1', 'v1.9.0-beta.1'],
    ['go1.20-pre4', 'v1.20.0-pre.4'],
    ['go1.22.2 X:nocoverageredesign', 'v1.22.2'],
    ['go1.22.2-fips', 'v1.22.2'],
    ['devel go1.23-0123456789 Thu Jan 1', undefined],
    ['', undefined],
    ['go2.0', undefined],
  ])('%s is %s', (tag, expected) => {
    expect(stdlibVersion(tag)).toBe(expected);
    if (expected !== undefined) expect(parseGoVersion(expected)).toBeDefined();
  });
});

const part = fc.integer({ min: 0, max: 3 });
const version = fc
  .tuple(part, part, fc.constantFrom('', '-0', '-rc.1'))
  .map(([a, b, pre]) => `${a}.${b}.0${pre}`);
const intervals = fc
  .uniqueArray(version, { minLength: 2, maxLength: 8 })
  .map((versions) => versions.sort(compareGoVersions))
  .map((sorted) =>
    sorted.flatMap((from, at) =>
      at % 2 === 0 && sorted[at + 1] !== undefined ? [[from, sorted[at + 1] as string] as const] : [],
    ),
  );
const events = intervals.map((given): Event[] =>
  given.flatMap(([from, to]) => [{ introduced: from }, { fixed: to }]),
);
