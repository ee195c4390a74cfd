import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareScoopVersions } from '../../formats/scoop-version.ts';

describe('Scoop version', () => {
  // Spec scoop 2.6, first the ones that we rely on, then the ones that we must avoid.
  it.each([
    ['1.2.0-beta.2', '1.2.0'],
    ['1.2.0-beta.9', '1.2.0-beta.10'],
    ['1.2.0-beta.2', '1.2.0-rc.1'],
    ['1.1.9', '1.2.0-beta.1'],
    ['1.2.0', '1.3.0-beta.1'],
    ['1.2.0-beta1', '1.2.0-beta2'],
    ['1.2', '1.2.0'],
    ['1.2.0', '1.2.0-canary.1'],
    ['1.2.0', '1.2.0-grey.1'],
    ['1.2.0', '1.2.0-dev.1'],
    ['1.2.0', '1.2.0-snapshot.1'],
    ['1.2.0', '1.2.0-next.1'],
    ['1.2.0', '1.2.0-nightly.20260101'],
    ['1.2.0', '1.2.0-1'],
    ['1.2.0', '1.2.0-0.3.7'],
    ['1.2.0', '1.2.0-canary.3'],
    ['1.2.0', '1.2.0+build.5'],
    ['1.2.0', 'v1.2.0'],
    ['0.9', '1.0.0.0'],
    ['1.1.1_8', '1.1.1_9'],
    ['1.1.1_9', '1.1.1_10'],
    ['1.1.1', '1.1.1_8'],
    ['1.1.1a10', '1.1.1b1'],
    ['0.5alpha', '0.5'],
    ['2018-01-01', '2019-01-01'],
    ['7.0.4-9', '7.0.4-10'],
    ['1.0.0+hotfix.1', '1.0.1'],
    ['20150405', 'latest'],
    ['', '7.0.4-9'],
    ['9007199254740992', '9007199254740993'],
    ['1.2.0-pre.1', '1.2.0'],
    ['1.2.0-alpha.1', '1.2.0'],
    ['1.2.0-rc.1', '1.2.0'],
    ['0.5.0-alpha.10', '0.5.0-beta'],
    ['0.5.0-beta', '0.5.0-beta.0'],
  ])('orders %j below %j', (older, newer) => {
    expect(compareScoopVersions(older, newer)).toBeLessThan(0);
    expect(compareScoopVersions(newer, older)).toBeGreaterThan(0);
  });

  it.each([
    ['1.2.0-BETA.2', '1.2.0-beta.2'],
    ['1.2.0+5', '1.2.0-5'],
    ['12.0', '12.0'],
    ['nightly-20190801', 'nightly'],
    ['nightly-20190801', 'nightly-20200801'],
  ])('treats %j and %j as the same', (a, b) => {
    expect(compareScoopVersions(a, b)).toBe(0);
    expect(compareScoopVersions(b, a)).toBe(0);
  });

  it('gives the opposite sign with sides exchanged, whatever the texts', () => {
    const text = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[0-9a-c.+_-]{0,8}$/),
      fc.stringMatching(/^1\.[0-9]\.0(-(beta|rc)\.[0-9]+)?$/),
    );
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareScoopVersions(a, b))).toBe(0 - Math.sign(compareScoopVersions(b, a)));
      }),
      { numRuns: 2000 },
    );
  });
});

// Contract section 6: U-beta.N, U, U.k-beta.N, U.k and the next U. Every step must be an upgrade for Scoop and for NuGet.
describe('The version history', () => {
  const small = fc.nat({ max: 20 });
  const upstream = fc.tuple(small, small, small);

  function order([a, b, c]: readonly number[]): number {
    return (a ?? 0) * 1_000_000 + (b ?? 0) * 1_000 + (c ?? 0);
  }

  it("only ever goes up by Scoop's order", () => {
    fc.assert(
      fc.property(
        upstream,
        upstream,
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 30 }),
        (one, two, n, k) => {
          fc.pre(order(one) !== order(two));
          const [low, high] = order(one) < order(two) ? [one, two] : [two, one];
          const u = low.join('.');
          const train = [
            `${u}-beta.${n}`,
            `${u}-beta.${n + 1}`,
            u,
            `${u}.${k}-beta.${n}`,
            `${u}.${k}`,
            `${u}.${k + 1}-beta.${n}`,
            `${u}.${k + 1}`,
            `${high.join('.')}-beta.1`,
            high.join('.'),
          ];
          for (const [index, version] of train.entries()) {
            for (const later of train.slice(index + 1)) {
              expect(`${version} ${Math.sign(compareScoopVersions(version, later))} ${later}`).toBe(
                `${version} -1 ${later}`,
              );
            }
          }
        },
      ),
    );
  });
});
