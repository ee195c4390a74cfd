import { type NuGetVersion, printNormalizedVersion } from '../../formats/nuget-version.ts';
import { keyOf } from '../atom.ts';
import type { Check } from '../check.ts';
import { parsedOf } from '../document.ts';
import { pick, prerelease, semVer2, stable, unlisted } from '../samples.ts';
import { demand, skip } from '../verdict.ts';
import { statusLine } from '../wire/answer.ts';

const lookup = 'choco install/info --version and every dependency of an exact version';

/** One version by its key (spec nuget-v2 3, 9.4, 12.4). */
export const packagesByKeyChecks: readonly Check[] = [
  {
    id: 'packages-by-key/entry',
    section: '9.4',
    title: 'Packages(Id=,Version=) answers an entry document',
    level: 'must',
    breaks: `${lookup}: the root must be entry, or a feed of one`,
    async run({ feed, samples }) {
      const { entry } = stable(samples);
      const page = await feed.page(`/Packages(Id='${entry.id}',Version='${entry.version}')`);
      demand(page.entries.length === 1, page, 'one entry', `${page.entries.length}`);
      demand(
        page.entries.map(keyOf).join() === keyOf(entry),
        page,
        keyOf(entry),
        page.entries.map(keyOf).join(),
      );
    },
  },
  {
    id: 'packages-by-key/root',
    section: '9.4',
    title: 'the root is <entry>, not a feed',
    level: 'should',
    breaks: 'WCF (choco 1.x) reads a single entity',
    async run({ feed, samples }) {
      const { entry } = stable(samples);
      const page = await feed.page(`/Packages(Id='${entry.id}',Version='${entry.version}')`);
      demand(page.root.name === 'entry', page, 'root entry', page.root.name);
    },
  },
  {
    id: 'packages-by-key/unknown',
    section: '9.4',
    title: 'a version that is not there is 404 (an empty feed is taken too)',
    level: 'must',
    breaks: `${lookup}: any other status is fatal`,
    async run({ feed }) {
      const answer = await feed.ask("/Packages(Id='zz-no-such-package',Version='1.0.0')");
      if (answer.status === 404) return;
      demand(answer.status === 200 || answer.status === 204, answer, 'status 404', statusLine(answer));
      const parsed = parsedOf(answer);
      const isEmpty =
        answer.status === 204 ||
        ('root' in parsed &&
          parsed.root.children.every(({ name }) => name !== 'entry') &&
          parsed.root.name === 'feed');
      demand(isEmpty, answer, 'status 404 or an empty feed', 'something else');
    },
  },
  ...spelledVersions(),
  ...spelledKeys(),
  {
    id: 'packages-by-key/semver2',
    section: '12.3',
    title: 'a SemVer 2 version is found without semVerLevel',
    level: 'must',
    breaks: 'choco 2.x sends no semVerLevel with a key, and cannot install the version',
    async run({ feed, samples }) {
      const { entry } = semVer2(samples);
      const version = entry.parsed === undefined ? entry.version : printNormalizedVersion(entry.parsed);
      await feed.page(`/Packages(Id='${entry.id}',Version='${version}')`);
    },
  },
  {
    id: 'packages-by-key/metadata-ignored',
    section: '12.1',
    title: 'build metadata in the key is ignored, and + in a path is no blank',
    level: 'should',
    breaks: 'scripts that pass the version on as it stands in the nuspec',
    async run({ feed, samples }) {
      const { entry } = pick(samples, 'version with build metadata', ({ entries }) =>
        entries.find(({ parsed }) => parsed?.metadata),
      );
      await feed.page(`/Packages(Id='${entry.id}',Version='${entry.parsed?.original}')`);
    },
  },
  {
    id: 'packages-by-key/prerelease-case',
    section: '12.1',
    title: 'prerelease labels are found in any case',
    level: 'should',
    breaks: 'nuget.exe keeps the case that was typed: 9.0.1-BETA2',
    async run({ feed, samples }) {
      const { entry } = prerelease(samples);
      const version = (
        entry.parsed === undefined ? entry.version : printNormalizedVersion(entry.parsed)
      ).toUpperCase();
      await feed.page(`/Packages(Id='${entry.id}',Version='${version}')`);
    },
  },
  {
    id: 'packages-by-key/unlisted',
    section: '10.4',
    title: 'an unlisted version is found by its key',
    level: 'should',
    breaks: 'choco install of a pinned version that was unlisted since',
    async run({ feed, samples }) {
      const { entry } = unlisted(samples);
      await feed.page(`/Packages(Id='${entry.id}',Version='${entry.version}')`);
    },
  },
];

function spelledVersions(): Check[] {
  const ways: readonly [string, (version: NuGetVersion) => string | undefined][] = [
    ['normalized', (version) => printNormalizedVersion(version)],
    ['four-parts', ({ numbers }) => numbers.join('.')],
    [
      'two-parts',
      ({ numbers: [major, minor, patch, revision] }) =>
        patch + revision === 0 ? `${major}.${minor}` : undefined,
    ],
    ['leading-zeros', ({ numbers: [major, ...rest] }) => `0${major}.${rest.join('.')}`],
  ];
  return ways.map(([name, spell]) => ({
    id: `packages-by-key/${name}`,
    section: '12.4',
    title: `the version is found when spelled with ${name.replace('-', ' ')}`,
    level: name === 'leading-zeros' ? 'should' : 'must',
    breaks: 'a package pushed as 1.0 is looked up as 1.0.0 by choco 2.x and as typed by 1.x: 404',
    async run({ feed, samples }) {
      const { entry } = pick(samples, 'stable version that can be spelled so', ({ entries }) =>
        entries.find(
          ({ parsed }) =>
            parsed !== undefined &&
            parsed.labels.length === 0 &&
            parsed.metadata === '' &&
            spell(parsed) !== undefined,
        ),
      );
      const version = entry.parsed && spell(entry.parsed);
      const page = await feed.page(`/Packages(Id='${entry.id}',Version='${version}')`);
      demand(
        page.entries.map(keyOf).join() === keyOf(entry),
        page,
        keyOf(entry),
        page.entries.map(keyOf).join() || 'an empty feed',
      );
    },
  }));
}

function spelledKeys(): Check[] {
  const ways: readonly [string, Check['level'], string, (id: string, version: string) => string][] = [
    [
      'encoded-quotes',
      'must',
      'choco 0.10.15 sends %27 in keys',
      (id, version) => `/Packages(Id=%27${id}%27,Version=%27${version}%27)`,
    ],
    [
      'upper-case-id',
      'must',
      'ids are typed in any case',
      (id, version) => `/Packages(Id='${id.toUpperCase()}',Version='${version}')`,
    ],
    [
      'lower-case-id',
      'must',
      'choco 2.x asks in lower case',
      (id, version) => `/Packages(Id='${id.toLowerCase()}',Version='${version}')`,
    ],
    [
      'blank-after-comma',
      'should',
      'hand-written clients',
      (id, version) => `/Packages(Id='${id}',%20Version='${version}')`,
    ],
    [
      'swapped',
      'should',
      'hand-written clients',
      (id, version) => `/Packages(Version='${version}',Id='${id}')`,
    ],
    [
      'with-query',
      'must',
      'caches and proxies add parameters',
      (id, version) => `/Packages(Id='${id}',Version='${version}')?hijack=false`,
    ],
  ];
  return ways.map(([name, level, breaks, path]) => ({
    id: `packages-by-key/${name}`,
    section: '3',
    title: `${path('x', '1.0')} finds the version`,
    level,
    breaks,
    async run({ feed, samples }) {
      const { entry } = stable(samples);
      const before = await feed.ask(`/Packages(Id='${entry.id}',Version='${entry.version}')`);
      if (before.status !== 200) skip('not even the plain key is answered');
      const page = await feed.page(path(entry.id, entry.version));
      demand(
        page.entries.map(keyOf).join() === keyOf(entry),
        page,
        keyOf(entry),
        page.entries.map(keyOf).join() || 'an empty feed',
      );
    },
  }));
}
