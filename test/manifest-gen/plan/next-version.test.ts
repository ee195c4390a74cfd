import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareNuGetVersions, parseNuGetVersion } from '../../../formats/nuget-version.ts';
import type { ReleaseRecord } from '../../../formats/release-record.ts';
import { compareScoopVersions } from '../../../formats/scoop-version.ts';
import { decideNextVersion, newestOfFamily } from '../../../manifest-gen/plan/next-version.ts';
import { printReleaseVersion, readReleaseVersion } from '../../../manifest-gen/plan/release-version.ts';
import type { Offered } from '../../../manifest-gen/plan/same-files.ts';

const found: Offered = {
  kind: 'github',
  upstream: 'github.com/go-delve/delve@v1.22.0',
  fingerprint: 'a'.repeat(64),
  offers: [{ architecture: 'amd64', name: 'dlv.zip', sha256: 'a'.repeat(64) }],
};
const recipe = { found, packaging: '1:x' };
const otherFiles = {
  ...recipe,
  found: { ...found, offers: [{ ...found.offers[0]!, sha256: 'b'.repeat(64) }] },
};
const otherPackaging = { ...recipe, packaging: '2:x' };

describe('decideNextVersion', () => {
  it.each([
    [[], '1.22.0-beta.1'],
    [['1.21.0', '1.21.0-beta.1', '1.23.0-beta.4'], '1.22.0-beta.1'],
    [['1.22.0-beta.1'], '1.22.0-beta.2'],
    [['1.22.0-beta.10', '1.22.0-beta.9'], '1.22.0-beta.11'],
    [['1.22.0-beta.1', '1.22.0'], '1.22.0.1-beta.1'],
    [['1.22.0', '1.22.0.1-beta.1'], '1.22.0.1-beta.2'],
    [['1.22.0', '1.22.0.1-beta.1', '1.22.0.1'], '1.22.0.2-beta.1'],
    [['1.22.0-rc.1', '1.22.0-alpha.3'], '1.22.0-beta.1'],
  ])('after %j a changed recipe gives %s', (published, expected) => {
    const next = decideNextVersion('1.22.0', published, madeWith(otherFiles), recipe);

    expect(next).toMatchObject({ kind: 'new', version: expected });
  });

  it('is nothing new when this recipe made the newest', () => {
    const published = ['1.22.0-beta.1', '1.22.0-beta.2'];

    expect(decideNextVersion('1.22.0', published, madeWith(recipe), recipe)).toEqual({
      kind: 'same',
      version: '1.22.0-beta.2',
    });
  });

  it('says what changed', () => {
    const why = (record: ReleaseRecord | undefined): unknown =>
      decideNextVersion('1.22.0', ['1.22.0-beta.1'], record, recipe);

    expect(why(madeWith(otherFiles))).toMatchObject({ reason: { change: { code: 'other-files' } } });
    expect(why(madeWith(otherPackaging))).toMatchObject({ reason: { change: { code: 'recipe' } } });
    expect(why(undefined)).toMatchObject({ reason: { change: { code: 'no-record' } } });
  });

  it('does not bring back what a withdrawal replaced by older bytes', () => {
    const record = { ...madeWith(recipe), source: { ...madeWith(recipe).source, version: '1.21.2' } };

    expect(decideNextVersion('1.22.0', ['1.22.0', '1.22.0.1'], record, recipe)).toEqual({
      kind: 'same',
      version: '1.22.0.1',
    });
    expect(decideNextVersion('1.22.0', ['1.22.0', '1.22.0.1'], record, recipe, true)).toEqual({
      kind: 'new',
      version: '1.22.0.2-beta.1',
      reason: {
        code: 'changed',
        version: '1.22.0.1',
        change: { code: 'bytes-of', version: '1.21.2' },
      },
    });
    expect(decideNextVersion('1.22.0', ['1.22.0'], madeWith(recipe), recipe, true)).toMatchObject({
      kind: 'same',
    });
  });

  it('always goes up, by the order of NuGet and by that of Scoop', () => {
    const car = fc.record({
      upstream: fc.constant('1.22.0'),
      correction: fc.nat({ max: 12 }),
      beta: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(car, { maxLength: 8 }), (cars) => {
        const published = cars.map(printReleaseVersion);
        const next = decideNextVersion('1.22.0', published, madeWith(otherFiles), recipe);
        for (const version of published) {
          const [a, b] = [parseNuGetVersion(next.version)!, parseNuGetVersion(version)!];
          expect(compareNuGetVersions(a, b)).toBeGreaterThan(0);
          expect(compareScoopVersions(next.version, version)).toBeGreaterThan(0);
        }
      }),
    );
  });
});

describe('newestOfFamily', () => {
  it('is the newest of this upstream version only', () => {
    const published = ['1.22.0-beta.2', '1.22.0-beta.10', '1.22.1', '1.22.0.1-beta.1', '1.22.0'];

    expect(newestOfFamily('1.22.0', published)).toBe('1.22.0.1-beta.1');
    expect(newestOfFamily('1.20.0', published)).toBeUndefined();
  });
});

describe('readReleaseVersion', () => {
  it.each([
    '1.22',
    '1.22.0.1.2',
    '1.22.0-beta.0',
    '1.22.0-beta',
    '1.22.0-beta.1.2',
    'v1.22.0',
    '1.22.0+x',
    '',
  ])('is not a version of the history: %s', (version) => {
    expect(readReleaseVersion(version)).toBeUndefined();
  });
});

function madeWith({ found: { fingerprint, offers }, packaging }: typeof recipe): ReleaseRecord {
  return {
    schema: 1,
    tool: 'delve',
    version: '1.22.0-beta.1',
    packaging,
    builtBy: 'upstream',
    source: { kind: 'github', upstream: found.upstream, version: '1.22.0', fingerprint },
    payloads: offers.map(({ architecture, name = '', sha256 = '' }) => ({
      architecture,
      file: 'dlv-windows-amd64.exe',
      size: 1,
      sha256: 'e'.repeat(64),
      sha512: 'e'.repeat(128),
      asset: { name, sha256 },
    })),
    evidence: [],
  };
}
