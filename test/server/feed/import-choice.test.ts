import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareNuGetVersions, isPrerelease, parseNuGetVersion } from '../../../formats/nuget-version.ts';
import { choosePackages } from '../../../server/feed/import-choice.ts';
import type { RemotePackage } from '../../../server/import/source.ts';

const all = { withPrereleases: true, withUnlisted: true };

/** `tool 1.0.0` is listed, `tool 1.0.0 -` is not. */
function remote(text: string): RemotePackage {
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
  const { chosen, skipped } = choosePackages(texts.map(remote), { ...all, ...wish });
  return {
    chosen: chosen.map(({ from }) => from),
    skipped: skipped.map(({ remote: { from }, reason }) => `${from}: ${reason}`),
  };
}

describe('the choice of an import', () => {
  it('is everything, by id and with older versions first, so that ids keep the case of their first version', () => {
    const { chosen, skipped } = choose(['b 1.10.0', 'A 2.0.0', 'b 1.9.0', 'a 1.0.0-rc', 'b 1.9.5 -'], {});

    expect(chosen).toEqual(['a 1.0.0-rc', 'A 2.0.0', 'b 1.9.0', 'b 1.9.5 -', 'b 1.10.0']);
    expect(skipped).toEqual([]);
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
  ])('of the newest 2 is %s', (_name, packages, expected) => {
    expect(choose(packages, { newest: 2 }).chosen).toEqual(expected);
  });

  it('reports why %s', () => {
    const packages = ['a 1.0.0', 'a 2.0.0', 'a 3.0.0-beta', 'a 2.5.0 -'];

    expect(
      choose(packages, { newest: 1, withPrereleases: false, withUnlisted: false }).skipped.sort(),
    ).toEqual(['a 1.0.0: older than the newest 1', 'a 2.5.0 -: unlisted', 'a 3.0.0-beta: a prerelease']);
  });

  it('loses nothing, takes nothing twice and respects every option', () => {
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
        const { chosen, skipped } = choosePackages([...given, ...given].map(remote), wanted);

        expect([...chosen, ...skipped.map((one) => one.remote)].map(({ from }) => from).sort()).toEqual(
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
