import { isSemVer1Readable } from '../../formats/nuget-version.ts';
import { type Entry, isListed, isTrue, keyOf, keysOf, newestOf } from '../atom.ts';
import type { Check } from '../check.ts';
import type { FeedAnswer } from '../feed.ts';
import { listedStable, pick, quote, type Sample } from '../samples.ts';
import { demand, skip } from '../verdict.ts';
import { short } from './filters.ts';

const flags = ['IsLatestVersion', 'IsAbsoluteLatestVersion'] as const;
const wrongVersion =
  'choco upgrade and outdated see the wrong newest version: downgrades, "not found" (choco#3297, #3380)';

/** One rule for both flags, the same at every address (spec nuget-v2 12.4). */
export const latestFlagChecks: readonly Check[] = [
  {
    id: 'latest-flags/newest',
    section: '12.4',
    title: 'with semVerLevel=2.0.0 the flags are on the newest listed versions',
    level: 'must',
    breaks: wrongVersion,
    async run({ feed, samples }) {
      for (const { id } of someSamples(samples.all)) {
        demandFlags(await feed.pages(`/FindPackagesById()?id=${quote(id)}&semVerLevel=2.0.0`), listedOnly);
      }
    },
  },
  {
    id: 'latest-flags/newest-semver1',
    section: '12.4',
    title: 'without semVerLevel the flags are on the newest of what is shown',
    level: 'must',
    breaks: `choco 1.x/0.10.15 finds no newest version at all when a SemVer 2 one has the flag`,
    async run({ feed, samples }) {
      for (const { id } of someSamples(samples.all)) {
        const pages = await feed.pages(`/FindPackagesById()?id=${quote(id)}`);
        // Whether a prerelease that begins with a digit is shown is another check's business (semver-views/digit).
        const isPlain = pages
          .flatMap(({ entries }) => entries)
          .every(({ parsed }) => parsed !== undefined && isSemVer1Readable(parsed));
        if (isPlain) demandFlags(pages, listedOnly);
      }
    },
  },
  {
    id: 'latest-flags/never-a-prerelease',
    section: '12.4',
    title: 'IsLatestVersion is never on a prerelease',
    level: 'must',
    breaks: 'choco install takes a prerelease for stable (NuGet.Lucene#1)',
    async run({ feed }) {
      const page = await feed.page(
        '/Packages()?$filter=IsLatestVersion%20and%20IsPrerelease&semVerLevel=2.0.0',
      );
      const found = page.entries.filter(({ parsed }) => (parsed?.labels.length ?? 0) > 0);
      demand(found.length === 0, page, 'no entry', short(keysOf(found)));
    },
  },
  {
    id: 'latest-flags/prereleases-alone',
    section: '12.4',
    title: 'an id with prereleases alone has no latest version, but an absolute latest one',
    level: 'must',
    breaks: 'choco install takes a prerelease without --pre, or finds none with it',
    async run({ feed, samples }) {
      const { sample } = pick(
        samples,
        'id with prereleases alone',
        ({ entries }) =>
          listedStable(entries).length === 0 &&
          entries.every(({ parsed }) => (parsed?.labels.length ?? 0) > 0) &&
          entries.some(isListed) &&
          entries[0],
      );
      const ask = (flag: string): Promise<FeedAnswer> =>
        feed.page(
          `/Packages()?$filter=(tolower(Id)%20eq%20'${sample.id.toLowerCase()}')%20and%20${flag}&semVerLevel=2.0.0`,
        );
      const stable = await ask('IsLatestVersion');
      demand(stable.entries.length === 0, stable, 'no entry', short(keysOf(stable.entries)));
      const any = await ask('IsAbsoluteLatestVersion');
      demand(any.entries.length === 1, any, 'one entry', short(keysOf(any.entries)));
    },
  },
  {
    id: 'latest-flags/not-unlisted',
    section: '12.4',
    title: 'an unlisted version has neither flag',
    level: 'must',
    breaks: 'choco upgrades to what was withdrawn',
    async run({ feed, samples }) {
      const { sample, entry } = pick(samples, 'unlisted version', ({ entries }) =>
        entries.find((one) => !isListed(one)),
      );
      const pages = await feed.pages(`/FindPackagesById()?id=${quote(sample.id)}&semVerLevel=2.0.0`);
      const found = pages
        .flatMap(({ entries }) => entries)
        .filter((one) => !isListed(one) && flags.some((flag) => isTrue(one, flag)));
      demand(
        found.length === 0,
        pages[0] ?? { request: '' },
        `no flag on ${keyOf(entry)}`,
        `flags on ${short(keysOf(found))}`,
      );
    },
  },
  {
    id: 'latest-flags/same-everywhere',
    section: '12.4',
    title: 'FindPackagesById, Packages, Search and the key agree about the flags',
    level: 'must',
    breaks: wrongVersion,
    async run({ feed, samples }) {
      for (const { id } of someSamples(samples.all).slice(0, 4)) {
        for (const view of ['&semVerLevel=2.0.0', '']) {
          const byId = flagged(
            (await feed.pages(`/FindPackagesById()?id=${quote(id)}${view}`)).flatMap(
              ({ entries }) => entries,
            ),
          );
          const others = [
            await feed.page(
              `/Packages()?$filter=tolower(Id)%20eq%20'${id.toLowerCase()}'%20and%20(IsLatestVersion%20or%20IsAbsoluteLatestVersion)${view}`,
            ),
            await feed.page(
              `/Search()?$filter=tolower(Id)%20eq%20'${id.toLowerCase()}'%20and%20(IsLatestVersion%20or%20IsAbsoluteLatestVersion)&searchTerm=${quote(id)}&targetFramework=''&includePrerelease=true&$skip=0&$top=30${view}`,
            ),
          ];
          for (const page of others) {
            const found = flagged(
              page.entries.filter((entry) => entry.id.toLowerCase() === id.toLowerCase()),
            );
            demand(found === byId, page, byId || 'no flag', found || 'no flag');
          }
        }
      }
    },
  },
  {
    id: 'latest-flags/follow-a-push',
    section: '12.4',
    title: 'the flags move with a push',
    level: 'must',
    breaks: 'choco upgrade does not see a new version',
    needs: 'push',
    async run({ feed, push }) {
      if (push === undefined) return;
      const id = `${push.publisher.prefix}.moving`;
      for (const version of ['1.0.0', '1.9.0', '1.10.0', '1.5.0']) {
        const answer = await push.publisher.publish({ id, version });
        demand(answer.status < 300, answer, 'status 201', String(answer.status));
      }
      const page = await feed.page(
        `/Packages()?$filter=(tolower(Id)%20eq%20'${id.toLowerCase()}')%20and%20IsLatestVersion`,
      );
      demand(
        keysOf(page.entries).join() === `${id} 1.10.0`.toLowerCase(),
        page,
        `${id} 1.10.0`,
        short(keysOf(page.entries)),
      );
    },
  },
];

function someSamples(all: readonly Sample[]): Sample[] {
  if (all.length === 0) skip('no package could be read');
  return [...all].filter(({ entries }) => entries.length <= 100).slice(0, 8);
}

const listedOnly = (entries: readonly Entry[]): Entry[] =>
  entries.filter((entry) => isListed(entry) && entry.parsed !== undefined);

function demandFlags(pages: readonly FeedAnswer[], candidates: (entries: readonly Entry[]) => Entry[]): void {
  const entries = pages.flatMap((page) => page.entries);
  const listed = candidates(entries);
  const expected = {
    IsLatestVersion: newestOf(listed.filter(({ parsed }) => parsed?.labels.length === 0)),
    IsAbsoluteLatestVersion: newestOf(listed),
  };
  for (const flag of flags) {
    const found = keysOf(entries.filter((entry) => isTrue(entry, flag)));
    const right = expected[flag];
    demand(
      found.join() === (right === undefined ? '' : keyOf(right)),
      pages[0] ?? { request: '' },
      `${flag} on ${right === undefined ? 'none' : keyOf(right)}`,
      short(found),
    );
  }
}

function flagged(entries: readonly Entry[]): string {
  return flags
    .flatMap((flag) => keysOf(entries.filter((entry) => isTrue(entry, flag))).map((key) => `${flag} ${key}`))
    .join('; ');
}
