import { isTrue, keysOf, newestOf } from '../atom.ts';
import type { Check } from '../check.ts';
import { listedStable, type Samples, stable } from '../samples.ts';
import { demand, skip } from '../verdict.ts';
import { statusLine } from '../wire/answer.ts';
import { expressions } from './filter-expressions.ts';

const level2 = 'semVerLevel=2.0.0';
const firstIsTheAnswer = 'choco info, install, upgrade and outdated take the first entry as the answer';

/** $filter is evaluated, not guessed at (spec nuget-v2 4.2, 8, 15). */
export const filterChecks: readonly Check[] = [
  ...exactLatest(),
  {
    id: 'filters/not-a-substring',
    section: '15',
    title: "tolower(Id) eq 'x' does not find ids that contain x",
    level: 'must',
    breaks: 'choco info git shows GitVersion (gitea#31168)',
    async run({ feed, samples }) {
      const [part, whole] = ambiguous(samples);
      const page = await feed.page(
        `/Packages()?$filter=tolower(Id)%20eq%20'${part.toLowerCase()}'&${level2}`,
      );
      const others = page.entries.filter(({ id }) => id.toLowerCase() !== part.toLowerCase());
      demand(
        others.length === 0,
        page,
        `${part} alone, not ${whole}`,
        () => `also ${others.map(({ id }) => id).join(', ')}`,
      );
    },
  },
  {
    id: 'filters/unknown-id',
    section: '1',
    title: 'an exact filter on an id that is not there answers 200 with an empty feed',
    level: 'must',
    breaks: 'choco 2.x: 404 is fatal, where "0 packages found" is meant',
    async run({ feed }) {
      const path = `/Packages()?$filter=(tolower(Id)%20eq%20'zz-no-such-package')%20and%20IsLatestVersion&${level2}`;
      const answer = await feed.ask(path);
      demand(answer.status === 200, answer, 'status 200', statusLine(answer));
      const page = await feed.page(path);
      demand(page.entries.length === 0, page, 'an empty feed', `${page.entries.length} entries`);
    },
  },
  {
    id: 'filters/all-versions',
    section: '4.2',
    title: "tolower(Id) eq 'x' alone gives all versions",
    level: 'must',
    breaks: 'choco 2.x on feeds without FindPackagesById; choco 1.x --exact --all-versions',
    async run({ feed, samples }) {
      const { sample } = stable(samples);
      const pages = await feed.pages(
        `/Packages()?$filter=tolower(Id)%20eq%20'${sample.id.toLowerCase()}'&${level2}`,
      );
      const found = keysOf(pages.flatMap(({ entries }) => entries));
      demand(
        found.join() === keysOf(sample.entries).join(),
        pages[0] ?? { request: '' },
        `${sample.entries.length} versions of ${sample.id}`,
        `${found.length}`,
      );
    },
  },
  ...expressions.map(
    ({ name, section = '8', level, breaks, write, holds }): Check => ({
      id: `filters/${name}`,
      section,
      title: `$filter=${write('x', '1.0.0')} is evaluated`,
      level,
      breaks,
      async run({ feed, samples }) {
        const { sample, entry } = stable(samples);
        const filter = `(Id eq '${sample.id}') and (${write(sample.id, entry.version)})`;
        const pages = await feed.pages(`/Packages()?$filter=${filter.replaceAll(' ', '%20')}&${level2}`);
        const expected = keysOf(sample.entries.filter((candidate) => holds(candidate, entry)));
        const found = keysOf(pages.flatMap(({ entries }) => entries));
        demand(found.join() === expected.join(), pages[0] ?? { request: '' }, short(expected), short(found));
      },
    }),
  ),
  {
    id: 'filters/doubled-quote',
    section: '8',
    title: "'' within quotes is one quote",
    level: 'must',
    breaks: "choco search o'brien doubles it",
    async run({ feed }) {
      const page = await feed.page("/Packages()?$filter=Id%20eq%20'zz''none'");
      demand(page.entries.length === 0, page, 'an empty feed', `${page.entries.length} entries`);
    },
  },
  {
    id: 'filters/form-encoded',
    section: '7',
    title: '%24filter and + for a blank are understood',
    level: 'must',
    breaks: 'PSResourceGet form-encodes its queries',
    async run({ feed, samples }) {
      const { sample } = stable(samples);
      const newest = newestOf(listedStable(sample.entries));
      const page = await feed.page(
        `/Packages()?%24filter=Id+eq+%27${sample.id}%27+and+IsLatestVersion+eq+true&${level2}`,
      );
      demand(
        keysOf(page.entries).join() === keysOf(newest ? [newest] : []).join(),
        page,
        'the latest version alone',
        short(keysOf(page.entries)),
      );
    },
  },
];

function exactLatest(): Check[] {
  const shapes: readonly [string, string, string, string][] = [
    [
      'exact-latest',
      '4.2',
      "(tolower(Id)%20eq%20'{id}')%20and%20IsLatestVersion",
      `${firstIsTheAnswer} (choco 2.x and 1.x)`,
    ],
    [
      'exact-latest-0.10.15',
      '18.2',
      '(tolower(Id)%20eq%20%27{id}%27)%20and%20IsLatestVersion',
      `${firstIsTheAnswer} (choco 0.10.15 sends %27)`,
    ],
    [
      'exact-absolute-latest',
      '4.2',
      "(tolower(Id)%20eq%20'{id}')%20and%20IsAbsoluteLatestVersion",
      `${firstIsTheAnswer} with --pre`,
    ],
  ];
  return shapes.flatMap(([name, section, filter, breaks]) =>
    [`&${level2}`, ''].map((view): Check => {
      const flag = filter.includes('Absolute') ? 'IsAbsoluteLatestVersion' : 'IsLatestVersion';
      return {
        id: `filters/${name}${view === '' ? '-semver1' : ''}`,
        section,
        title: `${filter.replaceAll('%20', ' ').replace('{id}', 'x')} gives that id once${view === '' ? ', without semVerLevel' : ''}`,
        level: 'must',
        breaks,
        async run({ feed, samples }) {
          const { sample } = stable(samples);
          const path = `/Packages()?$filter=${filter.replace('{id}', sample.id.toLowerCase())}${view}`;
          const page = await feed.page(path);
          demand(
            page.entries.length === 1,
            page,
            'one entry',
            `${page.entries.length}: ${short(keysOf(page.entries))}`,
          );
          const [entry] = page.entries;
          demand(entry?.id.toLowerCase() === sample.id.toLowerCase(), page, sample.id, entry?.id ?? '');
          if (flag === 'IsLatestVersion') {
            const newest = newestOf(listedStable(sample.entries));
            demand(
              keysOf(page.entries).join() === keysOf(newest ? [newest] : []).join(),
              page,
              `${sample.id} ${newest?.version}`,
              short(keysOf(page.entries)),
            );
          }
          demand(
            page.entries.every((one) => isTrue(one, flag)),
            page,
            `${flag} true on it`,
            'false',
          );
        },
      };
    }),
  );
}

function ambiguous({ ids }: Samples): [part: string, whole: string] {
  for (const part of ids) {
    const whole = ids.find((id) => id !== part && id.toLowerCase().includes(part.toLowerCase()));
    if (whole !== undefined) return [part, whole];
  }
  return skip('no two ids of which one contains the other');
}

export function short(keys: readonly string[]): string {
  if (keys.length === 0) return 'nothing';
  return keys.length <= 6 ? keys.join(', ') : `${keys.slice(0, 6).join(', ')} and ${keys.length - 6} more`;
}
