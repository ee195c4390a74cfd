import type { Recipe } from './nupkg.ts';

/** What is pushed so that every check has what it needs. All ids begin with the prefix of this one run. */
export type Fixtures = {
  readonly prefix: string;
  readonly recipes: readonly Recipe[];
  /** Unlisted once all are there. */
  readonly withdrawn: readonly Recipe[];
  readonly special: Required<Pick<Recipe, 'id' | 'version' | 'title' | 'description' | 'tags'>>;
  /** Depends on a SemVer 2 version, so is SemVer 2 itself (spec nuget-v2 12.3). */
  readonly leaning: Recipe;
  readonly dependent: Recipe;
};

/** Of one id: three pages and a rest (spec nuget-v2 16, point 7). */
const manyVersions = 250;
/** Of ids: two pages of choco and a rest (spec nuget-v2 16, point 8). */
const manyIds = 61;

export function planFixtures(prefix: string, isQuick: boolean): Fixtures {
  const main = `${prefix}.Main`;
  const special = {
    id: `${prefix}.special`,
    version: '1.0.0',
    title: 'Special & <odd>',
    description: 'Ends CDATA ]]> & <tags>, "quotes" and \'ticks\', \u{1f600} and äöü, 100 %.',
    tags: 'Conformance-Tag upper%20 c#',
  };
  const dependent = {
    id: `${prefix}.dependent`,
    version: '1.0.0',
    dependencies: [{ id: main, range: '[1.0,3.0)' }, { id: `${prefix}.git` }],
  };
  const leaning = {
    id: `${prefix}.leaning`,
    version: '1.0.0',
    dependencies: [{ id: main, range: '[2.1.0-beta.2]' }],
  };
  const gone = { id: main, version: '9.0.0' };
  const versions = ['1.0', '1.2.3.4', '2.0.0', '2.1.0-beta1', '2.1.0-Beta.2+build.5'];
  return {
    prefix,
    special,
    dependent,
    leaning,
    withdrawn: [gone],
    recipes: [
      ...versions.map((version) => ({ id: main, version })),
      gone,
      { id: `${prefix}.git`, version: '1.0.0' },
      { id: `${prefix}.gitversion`, version: '5.0.0' },
      { id: `${prefix}.preview`, version: '1.0.0-alpha' },
      { id: `${prefix}.digit`, version: '1.0.0' },
      { id: `${prefix}.digit`, version: '1.1.0-0test' },
      special,
      dependent,
      leaning,
      ...(isQuick ? [] : plenty(prefix)),
    ],
  };
}

function plenty(prefix: string): Recipe[] {
  const versions = Array.from({ length: manyVersions }, (_, n) => ({
    id: `${prefix}.many`,
    version: `1.0.${n}`,
  }));
  const ids = Array.from({ length: manyIds }, (_, n) => ({
    id: `${prefix}.id${String(n).padStart(2, '0')}`,
    version: '1.0.0',
    tags: `${prefix}-ids`,
  }));
  return [...versions, ...ids];
}
