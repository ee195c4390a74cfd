import { keyOf } from '../atom.ts';
import type { Check } from '../check.ts';
import type { Feed, FeedAnswer } from '../feed.ts';
import { many, quote } from '../samples.ts';
import { demand, skip } from '../verdict.ts';
import { statusLine } from '../wire/answer.ts';
import { short } from './filters.ts';

const level2 = 'semVerLevel=2.0.0';

/** Pages that the client asks for by number: where most feeds lose packages (spec nuget-v2 9.7, 5, 7). */
export const pagingChecks: readonly Check[] = [
  {
    id: 'paging/top',
    section: '9.7',
    title: '$top=2 gives two entries while there are more',
    level: 'must',
    breaks: 'choco and nuget.exe end their paging at the first page that is not full',
    async run({ feed }) {
      const page = await severalPackages(feed, '$top=2&');
      demand(page.entries.length === 2, page, '2 entries', `${page.entries.length}`);
    },
  },
  {
    id: 'paging/top-has-no-next',
    section: '9.7',
    title: 'a page that fills $top has no next link',
    level: 'must',
    breaks: 'WCF (choco 1.x) appends the next page: the list ends early or repeats itself',
    async run({ feed }) {
      const page = await severalPackages(feed, '$top=2&');
      demand(page.next === undefined, page, 'no link rel="next"', page.next ?? '');
    },
  },
  {
    id: 'paging/top-zero',
    section: '8',
    title: '$top=0 gives no entry',
    level: 'should',
    breaks: 'tools that want the count alone (Gitea takes 0 for its default)',
    async run({ feed }) {
      const page = await feed.page('/Packages()?$top=0');
      demand(page.entries.length === 0, page, 'no entry', `${page.entries.length}`);
    },
  },
  {
    id: 'paging/skip',
    section: '9.7',
    title: '$skip moves on: two pages of one are the page of two',
    level: 'must',
    breaks: 'choco and nuget.exe list the first page for ever (chocolatey/home#172), PowerShellGet gives up',
    async run({ feed }) {
      const both = await severalPackages(feed, '$orderby=Id&$skip=0&$top=2&');
      const [first, second] = [
        await severalPackages(feed, '$orderby=Id&$skip=0&$top=1&'),
        await feed.page(`/Packages()?$orderby=Id&$skip=1&$top=1&${level2}`),
      ];
      const apart = [...first.entries, ...second.entries].map(keyOf);
      demand(
        apart.join() === both.entries.map(keyOf).join(),
        second,
        short(both.entries.map(keyOf)),
        short(apart),
      );
    },
  },
  {
    id: 'paging/skip-past-end',
    section: '9.7',
    title: '$skip beyond the end is 200 with an empty feed',
    level: 'must',
    breaks: 'choco 1.x with exactly 30, 60, ... results loses the last page or fails (choco#2763)',
    async run({ feed }) {
      const path =
        "/Search()?$filter=IsLatestVersion&searchTerm=''&targetFramework=''&includePrerelease=false&$skip=1000000&$top=30";
      const answer = await feed.ask(path);
      demand(answer.status === 200, answer, 'status 200', statusLine(answer));
      const page = await feed.page(path);
      demand(
        page.entries.length === 0 && page.next === undefined,
        page,
        'an empty feed',
        `${page.entries.length} entries`,
      );
    },
  },
  {
    id: 'paging/choco-pages',
    section: '16',
    title: 'pages of 30 by $skip give each id once, and end with a short page',
    level: 'must',
    breaks: 'choco search loses packages or shows them twice',
    async run({ feed }) {
      const seen: string[] = [];
      let page: FeedAnswer | undefined;
      for (let skipped = 0; skipped < 300; skipped += 30) {
        page = await feed.page(
          `/Search()?$filter=IsLatestVersion&$orderby=Id&searchTerm=''&targetFramework=''&includePrerelease=false&$skip=${skipped}&$top=30&${level2}`,
        );
        seen.push(...page.entries.map(keyOf));
        demand(page.entries.length <= 30, page, 'at most 30 entries', `${page.entries.length}`);
        if (page.entries.length < 30) break;
      }
      if (seen.length <= 30) skip('no more than 30 ids');
      const twice = seen.filter((key, at) => seen.indexOf(key) !== at);
      demand(twice.length === 0, page ?? { request: '' }, 'each id once', `twice: ${short(twice)}`);
    },
  },
  {
    id: 'paging/top-6000',
    section: '9.7',
    title: '$top=6000 is honoured',
    level: 'should',
    breaks:
      'PSResourceGet divides m:count by 6000 and never follows a next link: Find-PSResource * loses the rest',
    async run({ feed, samples }) {
      const { sample } = many(samples);
      const page = await feed.page(`/FindPackagesById()?id=${quote(sample.id)}&$skip=0&$top=6000&${level2}`);
      demand(
        page.entries.length === Math.min(sample.entries.length, 6000),
        page,
        `${sample.entries.length} entries`,
        `${page.entries.length}`,
      );
    },
  },
  {
    id: 'paging/power-shell-get',
    section: '7',
    title: 'FindPackagesById with $skip and $top=40 pages without repeating',
    level: 'must',
    breaks: 'PowerShellGet takes a repeated first package for a server that ignores $skip',
    async run({ feed, samples }) {
      const { sample } = many(samples);
      const pages = await Promise.all(
        [0, 40, 80].map((n) => feed.page(`/FindPackagesById()?id=${quote(sample.id)}&$skip=${n}&$top=40`)),
      );
      const keys = pages.flatMap(({ entries }) => entries.map(keyOf));
      const first = pages[0] ?? { request: '' };
      demand(
        pages.every(({ entries }) => entries.length === 40) || sample.entries.length < 120,
        first,
        '40 entries each',
        pages.map(({ entries }) => entries.length).join(', '),
      );
      demand(
        new Set(keys).size === keys.length,
        first,
        'each version once',
        `${keys.length - new Set(keys).size} repeated`,
      );
    },
  },
  {
    id: 'paging/stable-order',
    section: '5',
    title: 'without $orderby the order is the same each time',
    level: 'must',
    breaks: 'choco 1.x and nuget.exe search page without $orderby',
    async run({ feed }) {
      const path =
        "/Search()?$filter=IsLatestVersion&$skip=0&$top=30&searchTerm=''&targetFramework=''&includePrerelease=false";
      const [first, second] = [await feed.page(path), await feed.page(path)];
      demand(
        first.entries.map(keyOf).join() === second.entries.map(keyOf).join(),
        second,
        'the same order',
        'another',
      );
    },
  },
];

async function severalPackages(feed: Feed, options: string): Promise<FeedAnswer> {
  const total = await feed.page(`/Packages()?${level2}`);
  if (total.entries.length < 3) skip('fewer than three packages');
  return feed.page(`/Packages()?${options}${level2}`);
}
