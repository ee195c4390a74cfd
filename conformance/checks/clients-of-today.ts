import { propertyOf } from '../../formats/atom-page.ts';
import { type Entry, keysOf } from '../atom.ts';
import type { Check } from '../check.ts';
import { newestStable, pick, stable } from '../samples.ts';
import { demand, Violation } from '../verdict.ts';
import { type Answer, statusLine, textOf } from '../wire/answer.ts';
import { short } from './filters.ts';

/** What the clients of 2026 ask beyond those of before (spec nuget-v2 18.3). */
export const clientsOfTodayChecks: readonly Check[] = [
  {
    id: 'search/tag-prefix',
    section: '18.3',
    title: 'tag:WORD in searchTerm finds the packages with this tag, and no others',
    level: 'must',
    breaks: 'PowerShellGet: Find-Command and Find-Module -Tag print nothing, with exit code 0',
    async run({ feed, samples }) {
      const { entry } = pick(samples, 'package with tags', (sample) => {
        const entry = newestStable(sample);
        return entry !== undefined && tagOf(entry) !== undefined && entry;
      });
      const tag = tagOf(entry) ?? '';
      const path = (word: string) =>
        `/Search()?$filter=IsLatestVersion%20and%20tolower(Id)%20eq%20'${entry.id.toLowerCase()}'&searchTerm='%20tag:${word}'&targetFramework=''&includePrerelease=false&$skip=0&$top=40&semVerLevel=2.0.0`;
      const page = await feed.page(path(tag));
      demand(page.entries.length === 1, page, `${entry.id}, by its tag ${tag}`, short(keysOf(page.entries)));
      const none = await feed.page(path('zz-no-such-tag'));
      demand(none.entries.length === 0, none, 'an empty feed', short(keysOf(none.entries)));
    },
  },
  {
    id: 'completion/ids',
    section: '18.3',
    title: 'package-ids?partialId= is a JSON array of the ids that begin so',
    level: 'should',
    breaks: 'NuGet.Protocol: ids are not completed in Visual Studio',
    async run({ feed, samples }) {
      const { entry } = stable(samples);
      const answer = await feed.ask(
        `/package-ids?partialId=${entry.id.slice(0, -1)}&includePrerelease=False&semVerLevel=2.0.0`,
      );
      const ids = textsIn(answer);
      demand(ids.includes(entry.id), answer, entry.id, short(ids));
    },
  },
  {
    id: 'completion/versions',
    section: '18.3',
    title: 'package-versions/ID is a JSON array of its versions',
    level: 'should',
    breaks: 'NuGet.Protocol: versions are not completed in Visual Studio',
    async run({ feed, samples }) {
      const { entry } = stable(samples);
      const answer = await feed.ask(
        `/package-versions/${entry.id}?includePrerelease=False&semVerLevel=2.0.0`,
      );
      const versions = textsIn(answer);
      demand(versions.includes(entry.version), answer, entry.version, short(versions));
    },
  },
];

/** One that needs no escape in an address. */
function tagOf(entry: Entry): string | undefined {
  return propertyOf(entry, 'Tags')
    .split(/[\s,;]+/)
    .find((tag) => /^\w+$/.test(tag));
}

function textsIn(answer: Answer): string[] {
  demand(answer.status === 200, answer, 'status 200', statusLine(answer));
  const found: unknown = parse(answer);
  return Array.isArray(found) && found.every((one) => typeof one === 'string')
    ? found
    : fault(answer, 'something else');
}

function parse(answer: Answer): unknown {
  try {
    return JSON.parse(textOf(answer));
  } catch {
    return fault(answer, 'no JSON');
  }
}

function fault({ request }: Answer, found: string): never {
  throw new Violation('a JSON array of texts', found, request);
}
