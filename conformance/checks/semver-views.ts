import { isSemVer1Readable, isSemVer2 } from '../../formats/nuget-version.ts';
import { keyOf, keysOf } from '../atom.ts';
import type { Check } from '../check.ts';
import { listedSemVer2, pick, quote, semVer2 } from '../samples.ts';
import { demand } from '../verdict.ts';
import { short } from './filters.ts';

const unreadable = 'choco 1.x/0.10.15 cannot parse the version: one of them loses the whole page';

/** What choco 1.x cannot read is hidden from it (spec nuget-v2 12.2, 12.3). */
export const semVerViewChecks: readonly Check[] = [
  ...views(),
  ...(
    [
      ['absent', '', false],
      ['empty', '&semVerLevel=', false],
      ['no-version', '&semVerLevel=a', false],
      ['zero', '&semVerLevel=0', false],
      ['1.0.0', '&semVerLevel=1.0.0', false],
      ['2.0.0', '&semVerLevel=2.0.0', true],
      ['2.0.1', '&semVerLevel=2.0.1', true],
      ['3.0.0-alpha', '&semVerLevel=3.0.0-alpha', true],
      ['quoted', "&semVerLevel='2.0.0'", true],
    ] as const
  ).map(
    ([name, parameter, isShown]): Check => ({
      id: `semver-views/level-${name}`,
      section: '12.3',
      title: `semVerLevel ${name === 'absent' ? 'absent' : parameter.slice(1)} ${isShown ? 'shows' : 'hides'} SemVer 2 versions`,
      level: name === '2.0.0' || name === 'absent' ? 'must' : 'should',
      breaks: isShown ? 'choco 2.x and nuget.exe 5 do not see the version' : unreadable,
      async run({ feed, samples }) {
        const { entry } = semVer2(samples);
        const pages = await feed.pages(`/FindPackagesById()?id=${quote(entry.id)}${parameter}`);
        const found = pages.flatMap(({ entries }) => entries).some((one) => keyOf(one) === keyOf(entry));
        demand(
          found === isShown,
          pages[0] ?? { request: '' },
          `${isShown ? '' : 'no '}${keyOf(entry)}`,
          found ? 'it is there' : 'it is not there',
        );
      },
    }),
  ),
  {
    id: 'semver-views/digit',
    section: '12.2',
    title: 'a prerelease that begins with a digit is hidden without semVerLevel',
    level: 'should',
    breaks: unreadable,
    async run({ feed, samples }) {
      const { entry } = pick(samples, 'prerelease that begins with a digit', ({ entries }) =>
        entries.find(
          ({ parsed }) => parsed !== undefined && !isSemVer2(parsed) && !isSemVer1Readable(parsed),
        ),
      );
      const page = await feed.page(`/FindPackagesById()?id=${quote(entry.id)}`);
      demand(
        !page.entries.some((one) => keyOf(one) === keyOf(entry)),
        page,
        `no ${keyOf(entry)}`,
        'it is there',
      );
    },
  },
  {
    id: 'semver-views/by-dependency',
    section: '12.3',
    title: 'a package that depends on a SemVer 2 version is hidden without semVerLevel',
    level: 'should',
    breaks: 'choco 1.x/0.10.15 cannot parse the dependency',
    needs: 'push',
    async run({ feed, push }) {
      const id = push?.fixtures.leaning.id ?? '';
      const [hidden, shown] = [
        await feed.page(`/FindPackagesById()?id=${quote(id)}`),
        await feed.page(`/FindPackagesById()?id=${quote(id)}&semVerLevel=2.0.0`),
      ];
      demand(shown.entries.length === 1, shown, `${id} with semVerLevel=2.0.0`, 'nothing');
      demand(hidden.entries.length === 0, hidden, 'nothing', short(keysOf(hidden.entries)));
    },
  },
];

function views(): Check[] {
  const paths: readonly [string, (id: string) => string][] = [
    ['packages', (id) => `/Packages()?$filter=tolower(Id)%20eq%20'${id.toLowerCase()}'`],
    [
      'search',
      (id) => `/Search()?searchTerm=${quote(id)}&targetFramework=''&includePrerelease=true&$skip=0&$top=100`,
    ],
  ];
  return paths.map(([name, path]) => ({
    id: `semver-views/${name}`,
    section: '12.3',
    title: `${name === 'search' ? 'Search()' : 'Packages()'} hides SemVer 2 versions unless semVerLevel is 2.0.0`,
    level: 'must',
    breaks: unreadable,
    async run({ feed, samples }) {
      const { entry } = listedSemVer2(samples);
      const page = await feed.page(path(entry.id));
      const found = page.entries.filter(({ parsed }) => parsed !== undefined && isSemVer2(parsed));
      demand(found.length === 0, page, 'no SemVer 2 version', short(keysOf(found)));
      const all = await feed.page(`${path(entry.id)}&semVerLevel=2.0.0`);
      demand(
        all.entries.some((one) => keyOf(one) === keyOf(entry)),
        all,
        keyOf(entry),
        short(keysOf(all.entries)),
      );
    },
  }));
}
