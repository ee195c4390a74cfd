import { type Entry, keysOf } from '../atom.ts';
import type { Check } from '../check.ts';
import type { FeedAnswer } from '../feed.ts';
import { listedStable, pick, stable } from '../samples.ts';
import { demand } from '../verdict.ts';
import { short } from './filters.ts';

const client = 'nuget.exe 2.x and Visual Studio look for updates by it';

/** One question for all that is installed (spec nuget-v2 13). */
export const getUpdatesChecks: readonly Check[] = [
  {
    id: 'get-updates/newer',
    section: '13',
    title: 'an older version gets the newest one',
    level: 'should',
    breaks: client,
    async run({ feed, samples }) {
      const { entry } = stable(samples);
      const page = await feed.page(path(entry.id, '0.0.0.1'));
      demandOnly(page, entry);
    },
  },
  {
    id: 'get-updates/nothing-newer',
    section: '13',
    title: 'the newest version gets nothing',
    level: 'should',
    breaks: `${client}: it offers what is there`,
    async run({ feed, samples }) {
      const { entry } = stable(samples);
      demandEmpty(await feed.page(path(entry.id, '2000000000.0.0')));
    },
  },
  {
    id: 'get-updates/different-lengths',
    section: '13',
    title: 'lists of different length give an empty feed',
    level: 'should',
    breaks: `${client}: versions are compared with those of another id`,
    async run({ feed, samples }) {
      const { entry } = stable(samples);
      demandEmpty(await feed.page(path(`${entry.id}%7C${entry.id}`, '0.0.0.1')));
    },
  },
  {
    id: 'get-updates/constraint',
    section: '13',
    title: 'versionConstraints bounds what is offered',
    level: 'should',
    breaks: `${client}: packages.config with allowedVersions is updated beyond it`,
    async run({ feed, samples }) {
      const { entry } = stable(samples);
      demandEmpty(await feed.page(path(entry.id, '0.0.0.1', '(,0.0.0.2)')));
    },
  },
  {
    id: 'get-updates/unreadable-version',
    section: '13',
    title: 'a version that is none leaves its package out, and the others in',
    level: 'should',
    breaks: `${client}: one odd package keeps all others from being updated`,
    async run({ feed, samples }) {
      const { entry } = stable(samples);
      const page = await feed.page(path(`zz-no-such-package%7C${entry.id}`, 'garbage%7C0.0.0.1'));
      demandOnly(page, entry);
    },
  },
  {
    id: 'get-updates/same-id-twice',
    section: '13',
    title: 'of an id that is given twice the lowest version counts',
    level: 'should',
    breaks: `${client}: two projects with two versions, and the older one is never updated`,
    async run({ feed, samples }) {
      const { entry } = stable(samples);
      for (const versions of ['2000000000.0.0%7C0.0.0.1', '0.0.0.1%7C2000000000.0.0']) {
        demandOnly(await feed.page(path(`${entry.id}%7C${entry.id.toUpperCase()}`, versions)), entry);
      }
    },
  },
  {
    id: 'get-updates/all-versions',
    section: '13',
    title: 'includeAllVersions gives every newer listed version',
    level: 'should',
    breaks: `${client}: only the newest is offered to who asked for all`,
    async run({ feed, samples }) {
      const { sample } = pick(samples, 'id with 2 to 60 listed stable versions', ({ entries }) => {
        const { length } = listedStable(entries);
        return length > 1 && length <= 60 && entries[0];
      });
      const expected = keysOf(listedStable(sample.entries)).sort();
      const page = await feed.page(
        path(sample.id, '0.0.0.1').replace('includeAllVersions=false', 'includeAllVersions=true'),
      );
      const found = keysOf(page.entries).sort();
      demand(found.join() === expected.join(), page, short(expected), short(found));
    },
  },
];

function demandOnly(page: FeedAnswer, entry: Entry): void {
  const found = keysOf(page.entries);
  demand(found.join() === keysOf([entry]).join(), page, short(keysOf([entry])), short(found));
}

function path(ids: string, versions: string, constraints = ''): string {
  return `/GetUpdates()?packageIds='${ids}'&versions='${versions}'&includePrerelease=false&includeAllVersions=false&targetFrameworks=''&versionConstraints='${constraints}'`;
}

function demandEmpty(page: FeedAnswer): void {
  demand(page.entries.length === 0, page, 'an empty feed', short(keysOf(page.entries)));
}
