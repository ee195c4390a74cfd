import { propertyOf } from '../../formats/atom-page.ts';
import { compareNuGetVersions, isPrerelease } from '../../formats/nuget-version.ts';
import { type Entry, isListed, keyOf, keysOf } from '../atom.ts';
import type { Check } from '../check.ts';
import type { Context } from '../context.ts';
import type { FeedAnswer } from '../feed.ts';
import { newestStable, pick, prerelease, quote, stable, unlisted } from '../samples.ts';
import { demand, skip } from '../verdict.ts';
import { statusLine } from '../wire/answer.ts';
import { short } from './filters.ts';
import { chocoPath, searchShapes } from './search-shapes.ts';

const level2 = 'semVerLevel=2.0.0';

/** choco search, find and list; nuget.exe list and search (spec nuget-v2 4.1, 5, 6, 8). */
export const searchChecks: readonly Check[] = [
  ...searchShapes(),
  {
    id: 'search/no-hit',
    section: '1',
    title: 'no hit is 200 with an empty feed',
    level: 'must',
    breaks: 'choco 2.x: 404 is fatal, where "0 packages found" is meant',
    async run({ feed }) {
      const answer = await feed.ask(chocoPath('zz-no-such-package'));
      demand(answer.status === 200, answer, 'status 200', statusLine(answer));
      const page = await feed.page(chocoPath('zz-no-such-package'));
      demand(page.entries.length === 0, page, 'an empty feed', short(keysOf(page.entries)));
    },
  },
  {
    id: 'search/awkward-term',
    section: '4',
    title: "a term with quotes, signs and blanks is understood: azure%20%2B''%20b%20",
    level: 'must',
    breaks: 'choco search fails for whoever types one of them',
    async run({ feed }) {
      await feed.page(
        "/Search()?$filter=IsLatestVersion&searchTerm='azure%20%2B''%20b%20'&targetFramework=''&includePrerelease=false&$skip=0&$top=30",
      );
    },
  },
  {
    id: 'search/one-per-id',
    section: '1',
    title: 'IsLatestVersion and IsAbsoluteLatestVersion give one entry per id',
    level: 'must',
    breaks: 'choco 2.x ends its paging at the first page that holds an id twice',
    async run({ feed }) {
      for (const [flag, pre] of [
        ['IsLatestVersion', 'false'],
        ['IsAbsoluteLatestVersion', 'true'],
      ] as const) {
        const page = await feed.page(
          `/Search()?$filter=${flag}&$orderby=Id&searchTerm=''&targetFramework=''&includePrerelease=${pre}&$skip=0&$top=100&${level2}`,
        );
        const ids = page.entries.map(({ id }) => id.toLowerCase());
        const twice = ids.filter((id, at) => ids.indexOf(id) !== at);
        demand(twice.length === 0, page, 'each id once', `twice: ${twice.join(', ')}`);
      }
    },
  },
  {
    id: 'search/no-unlisted',
    section: '4.1',
    title: 'unlisted versions are not in Search',
    level: 'must',
    breaks:
      'choco search --version and nuget list stop at a page of unlisted entries, and show what was withdrawn',
    async run({ feed, samples }) {
      const { entry } = unlisted(samples);
      const page = await feed.page(
        `/Search()?searchTerm=${quote(entry.id)}&targetFramework=''&includePrerelease=true&$orderby=Id,Version%20desc&$skip=0&$top=100&${level2}`,
      );
      demand(
        !page.entries.some((found) => keyOf(found) === keyOf(entry)),
        page,
        `no ${keyOf(entry)}`,
        'it is there',
      );
      demand(page.entries.every(isListed), page, 'listed versions alone', 'entries published in 1900');
    },
  },
  {
    id: 'search/prereleases-hidden',
    section: '4.1',
    title: 'includePrerelease=false, or nothing, hides prereleases',
    level: 'must',
    breaks: 'choco search --all-versions and nuget list offer prereleases that nobody asked for',
    async run({ feed, samples }) {
      const { entry } = prerelease(samples);
      for (const parameter of ['&includePrerelease=false', '']) {
        const page = await feed.page(
          `/Search()?searchTerm=${quote(entry.id)}&targetFramework=''${parameter}&$orderby=Id&$skip=0&$top=100&${level2}`,
        );
        const found = page.entries.filter(({ parsed }) => parsed !== undefined && isPrerelease(parsed));
        demand(found.length === 0, page, 'stable versions alone', short(keysOf(found)));
      }
    },
  },
  {
    id: 'search/prereleases-shown',
    section: '4.1',
    title: 'includePrerelease=true shows prereleases',
    level: 'must',
    breaks: 'choco search --pre',
    async run({ feed, samples }) {
      const { entry } = prerelease(samples);
      const pages = await feed.pages(
        `/Search()?searchTerm=${quote(entry.id)}&targetFramework=''&includePrerelease=true&$orderby=Id,Version%20desc&$skip=0&$top=100&${level2}`,
      );
      const found = pages.flatMap(({ entries }) => entries);
      demand(
        found.some((one) => keyOf(one) === keyOf(entry)),
        pages[0] ?? { request: '' },
        keyOf(entry),
        short(keysOf(found)),
      );
    },
  },
  {
    id: 'search/all-versions',
    section: '4.1',
    title: 'without a latest filter all listed versions are found',
    level: 'must',
    breaks: 'choco search --version walks all pages of it; choco 1.x --all-versions',
    async run({ feed, samples }) {
      const { sample } = stable(samples);
      const expected = keysOf(sample.entries.filter(isListed));
      const pages = await feed.pages(
        `/Search()?$orderby=Id,Version%20desc&searchTerm=${quote(sample.id)}&targetFramework=''&includePrerelease=true&$skip=0&$top=1000&${level2}`,
      );
      const found = keysOf(
        pages
          .flatMap(({ entries }) => entries)
          .filter(({ id }) => id.toLowerCase() === sample.id.toLowerCase()),
      );
      demand(found.join() === expected.join(), pages[0] ?? { request: '' }, short(expected), short(found));
    },
  },
  ...orders(),
  ...places(),
];

function orders(): Check[] {
  const byId = (a: Entry, b: Entry): number => compareText(a.id.toLowerCase(), b.id.toLowerCase());
  const all: readonly [string, string, string, (a: Entry, b: Entry) => number][] = [
    ['order-id', 'Id', 'choco pages by it: a list that is not sorted repeats and loses ids', byId],
    [
      'order-popularity',
      'DownloadCount%20desc,Id',
      'choco search --order-by-popularity',
      (a, b) => Number(propertyOf(b, 'DownloadCount')) - Number(propertyOf(a, 'DownloadCount')) || byId(a, b),
    ],
    [
      'order-version',
      'Id,Version%20desc',
      'choco search --version: versions are ordered as versions, 10 after 9',
      (a, b) => byId(a, b) || (a.parsed && b.parsed ? compareNuGetVersions(b.parsed, a.parsed) : 0),
    ],
  ];
  return all.map(([name, orderBy, breaks, compare]) => ({
    id: `search/${name}`,
    section: name === 'order-version' ? '8' : '4.1',
    title: `$orderby=${orderBy.replace('%20', ' ')} sorts`,
    level: name === 'order-id' ? 'must' : 'should',
    breaks,
    async run(context) {
      const page = await searchAll(context, `$orderby=${orderBy}&`);
      const wrong = page.entries.findIndex(
        (entry, at) => at > 0 && compare(page.entries[at - 1] ?? entry, entry) > 0,
      );
      demand(
        wrong < 0,
        page,
        'sorted',
        () =>
          `${keysInOrder(page)
            .slice(Math.max(0, wrong - 1), wrong + 1)
            .join(' before ')}`,
      );
    },
  }));
}

async function searchAll({ feed, samples }: Context, orderBy: string): Promise<FeedAnswer> {
  const page = await feed.page(
    `/Search()?${orderBy}searchTerm=''&targetFramework=''&includePrerelease=true&$skip=0&$top=100&${level2}`,
  );
  if (page.entries.length < 3)
    skip(samples.all.length === 0 ? 'no package could be read' : 'fewer than three packages');
  // Ids whose order depends on how a server compares punctuation and case say nothing.
  return { ...page, entries: page.entries.filter(({ id }) => /^[\w.-]+$/.test(id)) };
}

function keysInOrder({ entries }: FeedAnswer): string[] {
  return entries.map(keyOf);
}

/** Punctuation sorts before letters and digits everywhere; among itself it does not. */
function compareText(a: string, b: string): number {
  const [x, y] = [a.replace(/[._-]/g, ' '), b.replace(/[._-]/g, ' ')];
  return x === y ? 0 : x < y ? -1 : 1;
}

/** Where a term is looked for (spec nuget-v2 15, trap 15; 18.1). */
function places(): Check[] {
  const all: readonly [string, (entry: Entry) => string | undefined][] = [
    ['tags', (entry) => words(propertyOf(entry, 'Tags'))[0]],
    [
      'description',
      (entry) => words(propertyOf(entry, 'Description')).sort((a, b) => b.length - a.length)[0],
    ],
    ['title', (entry) => words(propertyOf(entry, 'Title')).sort((a, b) => b.length - a.length)[0]],
  ];
  return all.map(([name, wordOf]) => ({
    id: `search/in-${name}`,
    section: '15',
    title: `a word of the ${name} finds the package`,
    level: 'should',
    breaks: 'choco search misses packages (choco#3270: Nexus and Artifactory looked at the id alone)',
    async run({ feed, samples }) {
      const { entry } = pick(samples, `package with ${name}`, (sample) => {
        const entry = newestStable(sample);
        return entry !== undefined && wordOf(entry) !== undefined && entry;
      });
      const word = wordOf(entry) ?? '';
      // In whatever place of the results: a common word finds many.
      const pages = await feed.pages(
        `/Search()?$filter=IsLatestVersion%20and%20tolower(Id)%20eq%20'${entry.id.toLowerCase()}'&searchTerm=${quote(word)}&targetFramework=''&includePrerelease=false&$skip=0&$top=30&${level2}`,
      );
      const found = pages.flatMap(({ entries }) => entries);
      demand(
        found.some(({ id }) => id.toLowerCase() === entry.id.toLowerCase()),
        pages[0] ?? { request: '' },
        `${entry.id}, by "${word}"`,
        short(keysOf(found)),
      );
    },
  }));
}

function words(text: string): string[] {
  return text.split(/[\s,;]+/).filter((word) => /^[A-Za-z]{4,}$/.test(word));
}
