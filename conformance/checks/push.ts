import { createHash } from 'node:crypto';
import { propertyOf } from '../../formats/atom-page.ts';
import { isTrue, keysOf } from '../atom.ts';
import type { Check } from '../check.ts';
import { makePackage } from '../nupkg.ts';
import { quote } from '../samples.ts';
import { demand, skip } from '../verdict.ts';
import { type Answer, statusLine } from '../wire/answer.ts';
import { short } from './filters.ts';
import { publisherOf, recipe } from './push-context.ts';
import { pushForms } from './push-forms.ts';
import { pushConflicts, pushRefusals } from './push-refusals.ts';

/** choco push, nuget push, Publish-Module (spec nuget-v2 10). */
export const pushChecks: readonly Check[] = [
  ...pushForms(),
  ...pushRefusals(),
  ...pushConflicts(),
  {
    id: 'push/status',
    section: '10.3',
    title: 'a push is answered 201',
    level: 'should',
    breaks: 'nobody: clients take any 2xx',
    needs: 'push',
    async run(context) {
      const answer = await publisherOf(context).publish(recipe(context, 'status'));
      demand(answer.status === 201, answer, '201 Created', statusLine(answer));
    },
  },
  {
    id: 'push/site-root',
    section: '10.1',
    title: 'PUT /api/v2/package/ at the root of the site is taken',
    level: 'may',
    breaks: 'choco push and nuget.exe push to a source without a path (`-s https://feed.corp/`)',
    needs: 'push',
    async run(context) {
      const address = new URL('/api/v2/package/', context.feed.base).href;
      const answer = await publisherOf(context).publish(recipe(context, 'site-root'), { address });
      demand(answer.status >= 200 && answer.status < 300, answer, 'status 201', statusLine(answer));
    },
  },
  {
    id: 'push/warns-of-semver2',
    section: '10.3',
    title: 'the answer to a SemVer 2 push has X-NuGet-Warning',
    level: 'may',
    breaks: 'nobody; but who pushes is not told that choco 1.x will not see the package',
    needs: 'push',
    async run(context) {
      const one = { ...recipe(context, 'warns'), version: '1.0.0-beta.1' };
      const answer = await publisherOf(context).publish(one);
      const warning = answer.headers['x-nuget-warning'] ?? '';
      demand(warning !== '', answer, 'X-NuGet-Warning', 'none');
    },
  },
  {
    id: 'push/parallel',
    section: '10.3',
    title: 'of sixteen pushes of one version at once, one is 201 and fifteen are 409',
    level: 'must',
    breaks: 'retries of clients: two packages of one version, or none',
    needs: 'push',
    async run(context) {
      const one = recipe(context, 'parallel');
      const answers = await Promise.all(Array.from({ length: 16 }, () => publisherOf(context).publish(one)));
      const created = answers.filter(({ status }) => status >= 200 && status < 300).length;
      const refused = answers.filter(({ status }) => status === 409).length;
      demand(
        created === 1 && refused === 15,
        answers[0] ?? { request: '' },
        '1 x 201 and 15 x 409',
        counted(answers),
      );
      const page = await context.feed.page(`/FindPackagesById()?id=${quote(one.id)}`);
      demand(page.entries.length === 1, page, 'one entry', `${page.entries.length}`);
    },
  },
  {
    id: 'push/bytes',
    section: '1',
    title: 'what comes back is what was pushed, byte by byte, and PackageHash is its SHA512',
    level: 'must',
    breaks: 'choco with usePackageHashValidation, signed packages',
    needs: 'push',
    async run(context) {
      const one = recipe(context, 'bytes');
      const bytes = makePackage(one);
      await publisherOf(context).publish(one);
      const page = await context.feed.page(`/Packages(Id='${one.id}',Version='${one.version}')`);
      const [entry] = page.entries;
      const answer = await context.feed.askAddress(entry?.source ?? '');
      demand(
        answer.body.equals(bytes),
        answer,
        `the ${bytes.length} bytes that were pushed`,
        `${answer.body.length} others`,
      );
      const hash = createHash('sha512').update(bytes).digest('base64');
      const said = (entry && propertyOf(entry, 'PackageHash')) ?? '';
      demand(said === '' || said === hash, page, hash.slice(0, 24), said.slice(0, 24));
    },
  },
  {
    id: 'push/round-trip',
    section: '16',
    title: 'odd characters of the nuspec come back: ]]>, &, quotes, emoji, umlauts',
    level: 'must',
    breaks: 'one such package makes every list that holds it unreadable for all clients',
    needs: 'push',
    async run({ feed, push }) {
      const special = push?.fixtures.special ?? skip('no fixture');
      const page = await feed.page(`/Packages(Id='${special.id}',Version='1.0.0')`);
      const entry = page.entries[0] ?? skip('the fixture is not there');
      for (const [name, text] of [
        ['Description', special.description],
        ['Title', special.title],
      ] as const) {
        demand(propertyOf(entry, name) === text, page, text, propertyOf(entry, name));
      }
      const tags = propertyOf(entry, 'Tags').split(/\s+/);
      demand(
        special.tags.split(' ').every((tag) => tags.includes(tag)),
        page,
        special.tags,
        tags.join(' '),
      );
    },
  },
  {
    id: 'push/dependencies',
    section: '13',
    title: 'dependencies come back with their ranges, one without a version as the id alone',
    level: 'must',
    breaks: 'choco installs other dependencies than the package names (nexus-public#1068)',
    needs: 'push',
    async run({ feed, push }) {
      const { id } = push?.fixtures.dependent ?? skip('no fixture');
      const page = await feed.page(`/Packages(Id='${id}',Version='1.0.0')`);
      const text = page.entries[0] === undefined ? '' : propertyOf(page.entries[0], 'Dependencies');
      const records = text
        .split('|')
        .map((record) => record.replace(/:+$/, '').replaceAll(' ', '').toLowerCase());
      const [ranged, free] = [`${push?.fixtures.prefix}.main:[1.0,3.0)`, `${push?.fixtures.prefix}.git`];
      const found = records.map((record) => record.replaceAll('1.0.0', '1.0').replaceAll('3.0.0', '3.0'));
      demand(found.includes(ranged) && found.includes(free), page, `${ranged}|${free}`, text || 'none');
    },
  },
  {
    id: 'push/visible-at-once',
    section: '10.3',
    title: 'a pushed version is in Search, Packages and FindPackagesById at once, listed and latest',
    level: 'must',
    breaks: 'a pipeline that pushes and installs finds nothing',
    needs: 'push',
    async run(context) {
      const one = recipe(context, 'visible');
      await publisherOf(context).publish(one);
      const paths = [
        `/FindPackagesById()?id=${quote(one.id)}`,
        `/Packages()?$filter=(tolower(Id)%20eq%20'${one.id.toLowerCase()}')%20and%20IsLatestVersion`,
        `/Search()?$filter=IsLatestVersion&searchTerm=${quote(one.id)}&targetFramework=''&includePrerelease=false&$skip=0&$top=30`,
      ];
      for (const path of paths) {
        const page = await context.feed.page(path);
        const entry = page.entries.find(({ id }) => id === one.id);
        demand(entry !== undefined, page, one.id, short(keysOf(page.entries)));
        demand(isTrue(entry, 'IsLatestVersion'), page, 'IsLatestVersion', 'false');
      }
    },
  },
  {
    id: 'push/expect-continue',
    section: '2.4',
    title: 'a body that waits for 100 Continue is taken',
    level: 'must',
    breaks: 'nuget.exe and curl send Expect: 100-continue with large packages',
    needs: 'push',
    async run(context) {
      const answer = await publisherOf(context).publish(recipe(context, 'expect'), {
        form: 'choco2',
        isExpecting: true,
      });
      demand(answer.status >= 200 && answer.status < 300, answer, 'status 201', statusLine(answer));
    },
  },
  {
    id: 'push/any-accept',
    section: '15',
    title: 'an unusual Accept is no reason to refuse',
    level: 'should',
    breaks: 'choco takes 406 for a duplicate (NuGetGallery#6543)',
    needs: 'push',
    async run(context) {
      const answer = await publisherOf(context).publish(recipe(context, 'accept'), {
        headers: { Accept: 'text/html' },
      });
      demand(answer.status >= 200 && answer.status < 300, answer, 'status 201', statusLine(answer));
    },
  },
  {
    id: 'push/symbols',
    section: '10.5',
    title: 'symbol packages are taken or refused by a clear status, not by 5xx',
    level: 'may',
    breaks: 'nuget push -SymbolSource ends with an error that says nothing',
    needs: 'push',
    async run(context) {
      const answer = await publisherOf(context).push(makePackage(recipe(context, 'symbols')), {
        path: '/symbolpackage',
      });
      demand(answer.status < 500, answer, 'status 404 or 201', statusLine(answer));
    },
  },
];

function counted(answers: readonly Answer[]): string {
  const statuses = answers.map(({ status }) => status);
  return [...new Set(statuses)]
    .map((status) => `${statuses.filter((one) => one === status).length} x ${status}`)
    .join(', ');
}
