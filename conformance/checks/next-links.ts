import { keysOf } from '../atom.ts';
import type { Check } from '../check.ts';
import type { Feed, FeedAnswer } from '../feed.ts';
import { many, quote } from '../samples.ts';
import { demand, skip } from '../verdict.ts';
import { parseAddress } from '../wire/address.ts';
import { short } from './filters.ts';

const level2 = 'semVerLevel=2.0.0';

/** Pages that the feed leads through by its own links (spec nuget-v2 9.7). */
export const nextLinkChecks: readonly Check[] = [
  {
    id: 'paging/default-size',
    section: '9.7',
    title: 'without $top a page holds 100 entries',
    level: 'should',
    breaks: 'PSResourceGet computes its paging with exactly 100',
    async run({ feed, samples }) {
      const { sample } = many(samples);
      const page = await feed.page(`/FindPackagesById()?id=${quote(sample.id)}&${level2}`);
      demand(page.entries.length === 100, page, '100 entries', `${page.entries.length}`);
    },
  },
  {
    id: 'paging/next-is-absolute',
    section: '9.7',
    title: 'the next link is an absolute address',
    level: 'must',
    breaks: 'choco 2.x and nuget.exe 5 use it unmodified: dependencies with many versions fail',
    async run({ feed, samples }) {
      const page = await firstOfMany(feed, many(samples).sample.id);
      demand(
        parseAddress(page.next ?? '') !== undefined,
        page,
        'an absolute http(s) address',
        page.next ?? '',
      );
    },
  },
  {
    id: 'paging/next-leads-through-all',
    section: '16',
    title: 'following the next links gives every version once; the last page has none',
    level: 'must',
    breaks: 'choco 2.x and nuget.exe 5 abort on a repeated link and miss versions on a lost one',
    async run({ feed, samples }) {
      const { sample } = many(samples);
      const pages = await feed.pages(`/FindPackagesById()?id=${quote(sample.id)}&${level2}`);
      const found = keysOf(pages.flatMap(({ entries }) => entries));
      const first = pages[0] ?? { request: '' };
      demand(
        new Set(found).size === found.length,
        first,
        'each version once',
        `${found.length} entries, ${new Set(found).size} versions`,
      );
      demand(
        pages.at(-1)?.next === undefined,
        first,
        'a last page without next link',
        `${pages.length} pages and still one`,
      );
      const total = Number(
        (await feed.ask(`/FindPackagesById()/$count?id=${quote(sample.id)}&${level2}`)).body.toString(),
      );
      if (Number.isInteger(total))
        demand(found.length === total, first, `${total} versions, as $count says`, `${found.length}`);
    },
  },
  {
    id: 'paging/next-keeps-the-question',
    section: '9.7',
    title: 'the next link carries filter and order along',
    level: 'must',
    breaks: 'the second page answers another question: wrong packages, wrong versions',
    async run({ feed, samples }) {
      const { sample } = many(samples);
      const path = `/Packages()?$filter=tolower(Id)%20eq%20'${sample.id.toLowerCase()}'%20and%20IsPrerelease%20eq%20false&$orderby=Version%20desc&${level2}`;
      const pages = await feed.pages(path);
      if (pages.length < 2) skip('all on one page');
      const entries = pages.flatMap((page) => page.entries);
      const foreign = entries.filter(({ id }) => id.toLowerCase() !== sample.id.toLowerCase());
      demand(foreign.length === 0, pages[1] ?? { request: '' }, `${sample.id} alone`, short(keysOf(foreign)));
      demand(
        new Set(keysOf(entries)).size === entries.length,
        pages[1] ?? { request: '' },
        'each version once',
        'some twice',
      );
    },
  },
];

async function firstOfMany(feed: Feed, id: string): Promise<FeedAnswer> {
  const page = await feed.page(`/FindPackagesById()?id=${quote(id)}&${level2}`);
  if (page.next === undefined) skip('all versions came on one page');
  return page;
}
