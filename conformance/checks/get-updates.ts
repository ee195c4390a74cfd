import { keysOf } from '../atom.ts';
import type { Check } from '../check.ts';
import type { FeedAnswer } from '../feed.ts';
import { stable } from '../samples.ts';
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
      demand(
        keysOf(page.entries).join() === keysOf([entry]).join(),
        page,
        short(keysOf([entry])),
        short(keysOf(page.entries)),
      );
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
];

function path(ids: string, versions: string, constraints = ''): string {
  return `/GetUpdates()?packageIds='${ids}'&versions='${versions}'&includePrerelease=false&includeAllVersions=false&targetFrameworks=''&versionConstraints='${constraints}'`;
}

function demandEmpty(page: FeedAnswer): void {
  demand(page.entries.length === 0, page, 'an empty feed', short(keysOf(page.entries)));
}
