import type { Check } from '../check.ts';
import type { Feed } from '../feed.ts';
import { stable } from '../samples.ts';
import { demand, skip } from '../verdict.ts';
import { type Answer, mediaTypeOf, statusLine, textOf } from '../wire/answer.ts';

const level2 = 'semVerLevel=2.0.0';
const search = `searchTerm=''&targetFramework=''&includePrerelease=false&$filter=IsLatestVersion&${level2}`;

/** $count and $inlinecount (spec nuget-v2 9.6, 8). */
export const countChecks: readonly Check[] = [
  ...(
    [
      ['packages', '/Packages()/$count'],
      ['packages-without-parentheses', '/Packages/$count'],
      ['search', `/Search()/$count?${search}`],
      ['search-without-parentheses', `/Search/$count?${search}`],
    ] as const
  ).map(
    ([name, path]): Check => ({
      id: `counts/${name}`,
      section: '9.6',
      title: `${path.replace(/\?.*/, '')} is a plain number`,
      level: name.startsWith('search') ? 'must' : 'should',
      breaks: 'choco 2.x and PowerShell scripts read it as an integer',
      async run({ feed }) {
        const answer = await count(feed, path);
        demand(mediaTypeOf(answer) === 'text/plain', answer, 'text/plain', mediaTypeOf(answer) || 'no type');
      },
    }),
  ),
  {
    id: 'counts/by-id',
    section: '9.6',
    title: 'FindPackagesById()/$count is the number of versions',
    level: 'should',
    breaks: 'scripts that page by it',
    async run({ feed, samples }) {
      const { sample } = stable(samples);
      const answer = await count(feed, `/FindPackagesById()/$count?id='${sample.id}'&${level2}`);
      demand(
        Number(textOf(answer)) === sample.entries.length,
        answer,
        `${sample.entries.length}`,
        textOf(answer),
      );
    },
  },
  {
    id: 'counts/filter-applies',
    section: '9.6',
    title: '$count counts what the filter leaves',
    level: 'must',
    breaks: 'choco 2.x counts Search with its filter',
    async run({ feed, samples }) {
      const { sample } = stable(samples);
      const answer = await count(
        feed,
        `/Packages()/$count?$filter=tolower(Id)%20eq%20'${sample.id.toLowerCase()}'&${level2}`,
      );
      demand(
        Number(textOf(answer)) === sample.entries.length,
        answer,
        `${sample.entries.length}`,
        textOf(answer),
      );
    },
  },
  {
    id: 'counts/ignores-paging',
    section: '18.1',
    title: '$count ignores $top and $skip',
    level: 'may',
    breaks: 'no client (NuGet.Server honours $top)',
    async run({ feed }) {
      const all = await count(feed, '/Packages()/$count');
      if (Number(textOf(all)) < 2) skip('fewer than two packages');
      const answer = await count(feed, '/Packages()/$count?$top=1&$skip=1');
      demand(textOf(answer) === textOf(all), answer, textOf(all), textOf(answer));
    },
  },
  {
    id: 'counts/inline',
    section: '7',
    title: '$inlinecount=allpages gives m:count, whatever $top says',
    level: 'must',
    breaks: 'PSResourceGet searches the text for m:count and computes its pages from it (PSGet#184)',
    async run({ feed }) {
      const total = Number(textOf(await count(feed, `/Packages()/$count?${level2}`)));
      const page = await feed.page(`/Packages()?$inlinecount=allpages&$top=1&${level2}`);
      demand(/<m:count\b/.test(textOf(page)), page, '<m:count>', 'no such element');
      demand(page.count === total, page, `m:count ${total}, as $count says`, String(page.count));
    },
  },
  {
    id: 'counts/inline-search',
    section: '7',
    title: '$inlinecount=allpages works on Search and FindPackagesById',
    level: 'must',
    breaks: 'PSResourceGet Find-PSResource',
    async run({ feed, samples }) {
      const { sample } = stable(samples);
      for (const path of [
        `/Search()?${search}&$inlinecount=allpages&$skip=0&$top=6000`,
        `/FindPackagesById()?id='${sample.id}'&$inlinecount=allpages&${level2}`,
      ]) {
        const page = await feed.page(path);
        demand(page.count !== undefined, page, 'm:count', 'none');
        const isWhole = page.next === undefined && page.entries.length < 6000;
        demand(
          !isWhole || page.count === page.entries.length,
          page,
          `m:count ${page.entries.length}`,
          String(page.count),
        );
      }
    },
  },
];

async function count(feed: Feed, path: string): Promise<Answer> {
  const answer = await feed.ask(path, { headers: { Accept: 'text/plain' } });
  demand(answer.status === 200, answer, 'status 200', statusLine(answer));
  // The raw bytes: a byte order mark is no digit.
  const body = answer.body.toString('latin1');
  demand(/^\d+$/.test(body), answer, 'ASCII digits alone', JSON.stringify(body.slice(0, 40)));
  return answer;
}
