import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareNuGetVersions, isPrerelease, parseNuGetVersion } from '../../../formats/nuget-version.ts';
import { chooseOffers } from '../../../server/feed/import-choice.ts';
import type { Offer } from '../../../server/sources/source.ts';

const all = { withPrereleases: true, withUnlisted: true };

/** `tool 1.0.0` is listed, `tool 1.0.0 -` is not. */
function offer(text: string): Offer {
  const [id = '', version = '', mark] = text.split(' ');
  return {
    id,
    version,
    isListed: mark !== '-',
    from: text,
    hash: async () => undefined,
    open: () => Promise.reject(new Error('not here')),
  };
}

function choose(texts: readonly string[], wish: Partial<typeof all> & { newest?: number }) {
  const { chosen, left } = chooseOffers(texts.map(offer), { ...all, ...wish });
  return {
    chosen: chosen.map(({ from }) => from),
    left: left.map(({ offer: { from }, reason }) => `${from}: ${reason}`),
  };
}

describe('the choice of an import', () => {
  it('is everything, by id and with older versions first, so that ids keep the case of their first version', () => {
    const { chosen, left } = choose(['b 1.10.0', 'A 2.0.0', 'b 1.9.0', 'a 1.0.0-rc', 'b 1.9.5 -'], {});

    expect(chosen).toEqual(['a 1.0.0-rc', 'A 2.0.0', 'b 1.9.0', 'b 1.9.5 -', 'b 1.10.0']);
    expect(left).toEqual([]);
  });

  it.each([
    ['two listed ones', ['a 1.0.0', 'a 2.0.0', 'a 3.0.0'], ['a 2.0.0', 'a 3.0.0']],
    [
      'unlisted ones between them without counting',
      ['a 1.0.0', 'a 2.0.0', 'a 3.0.0 -', 'a 4.0.0', 'a 5.0.0 -'],
      ['a 2.0.0', 'a 3.0.0 -', 'a 4.0.0', 'a 5.0.0 -'],
    ],
    [
      'two of an id that has none listed',
      ['a 1.0.0 -', 'a 2.0.0 -', 'a 3.0.0 -'],
      ['a 2.0.0 -', 'a 3.0.0 -'],
    ],
    ['of each id', ['a 1.0.0', 'b 1.0.0', 'b 2.0.0', 'b 3.0.0'], ['a 1.0.0', 'b 2.0.0', 'b 3.0.0']],
  ])('of the newest 2 is %s', (_name, offers, expected) => {
    expect(choose(offers, { newest: 2 }).chosen).toEqual(expected);
  });

  it('tells why something is left out', () => {
    const offers = ['a 1.0.0', 'a 2.0.0', 'a 3.0.0-beta', 'a 2.5.0 -'];

    expect(choose(offers, { newest: 1, withPrereleases: false, withUnlisted: false }).left.sort()).toEqual([
      'a 1.0.0: older than the newest 1',
      'a 2.5.0 -: unlisted',
      'a 3.0.0-beta: a prerelease',
    ]);
  });

  it('loses nothing, takes nothing twice and keeps to every wish', () => {
    const version = fc
      .tuple(fc.nat(4), fc.nat(4), fc.constantFrom('', '-a', '-b.1'))
      .map(([a, b, c]) => `${a}.${b}.0${c}`);
    const texts = fc.uniqueArray(
      fc
        .tuple(fc.constantFrom('a', 'A', 'b'), version, fc.constantFrom('', ' -'))
        .map(([id, v, mark]) => `${id} ${v}${mark}`),
    );
    const wish = fc.record({
      withPrereleases: fc.boolean(),
      withUnlisted: fc.boolean(),
      newest: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(texts, wish, (given, wanted) => {
        const { chosen, left } = chooseOffers([...given, ...given].map(offer), wanted);

        expect([...chosen, ...left.map((one) => one.offer)].map(({ from }) => from).sort()).toEqual(
          [...given].sort(),
        );
        for (const { version: text, isListed, id } of chosen) {
          const parsed = parseNuGetVersion(text)!;
          expect(wanted.withPrereleases || !isPrerelease(parsed)).toBe(true);
          expect(wanted.withUnlisted || isListed).toBe(true);
          const newerListed = chosen.filter(
            (other) =>
              other.isListed &&
              other.id.toLowerCase() === id.toLowerCase() &&
              compareNuGetVersions(parseNuGetVersion(other.version)!, parsed) > 0,
          );
          expect(newerListed.length).toBeLessThan(wanted.newest + Number(!isListed));
        }
      }),
    );
  });
});
