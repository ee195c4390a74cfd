import { createHash } from 'node:crypto';
import { isTrue, keysOf, propertyOf } from '../atom.ts';
import type { Check } from '../check.ts';
import type { Context } from '../context.ts';
import { makeNuspec, makePackage, type Recipe, zip } from '../nupkg.ts';
import type { Publisher, PushOptions } from '../publisher.ts';
import { quote } from '../samples.ts';
import { demand, skip } from '../verdict.ts';
import { type Answer, statusLine, textOf } from '../wire/answer.ts';
import { short } from './filters.ts';

/** choco push, nuget push, Publish-Module (spec nuget-v2 10). */
export const pushChecks: readonly Check[] = [
  ...forms(),
  ...refusals(),
  ...conflicts(),
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

function forms(): Check[] {
  const all: readonly [string, string, Check['level'], PushOptions, string][] = [
    [
      'chunked-root-slash',
      '10.1',
      'must',
      { form: 'choco2', path: '/' },
      'choco 2.x push and nuget.exe 5 push to a source with a path',
    ],
    [
      'chunked-root',
      '1',
      'must',
      { form: 'choco2', path: '' },
      'older clients and scripts push without the slash',
    ],
    [
      'chunked-package-slash',
      '10.1',
      'must',
      { form: 'choco2', path: '/package/' },
      'nuget.exe, Publish-Module and sources that end in /package',
    ],
    ['chunked-package', '1', 'must', { form: 'choco2', path: '/package' }, 'scripts'],
    ['length-root-slash', '10.2', 'must', { form: 'choco1', path: '/' }, 'choco 1.x/0.10.15 push'],
    [
      'length-package-slash',
      '10.2',
      'must',
      { form: 'choco1', path: '/package/' },
      'choco 1.x/0.10.15 push to a source without a path',
    ],
    [
      'raw-root-slash',
      '10.2',
      'should',
      { form: 'raw', path: '/' },
      'curl -T and CI plug-ins send the bare file',
    ],
    [
      'any-part-name',
      '10.2',
      'should',
      { form: 'odd-part', path: '/package/' },
      'the PyPI client chocolatey-choco names the part after the file',
    ],
  ];
  return all.map(([name, section, level, options, breaks]) => ({
    id: `push/${name}`,
    section,
    title: `PUT {base}${options.path} (${{ choco2: 'multipart, chunked', choco1: 'multipart, Content-Length', raw: 'raw body', 'odd-part': 'odd part name' }[options.form ?? 'choco1']}) is taken`,
    level,
    breaks,
    needs: 'push',
    async run(context) {
      const one = recipe(context, name);
      const answer = await publisherOf(context).publish(one, options);
      demand(answer.status >= 200 && answer.status < 300, answer, 'status 201', statusLine(answer));
      const page = await context.feed.page(`/Packages(Id='${one.id}',Version='${one.version}')`);
      demand(page.entries.length === 1, page, `${one.id} on the feed`, 'not there');
    },
  }));
}

/** What is no package, or not allowed to come in. */
function refusals(): Check[] {
  const nuspec = (id: string, version: string): string => makeNuspec({ id, version });
  const bodies: readonly [string, string, (prefix: string) => Buffer][] = [
    ['not-a-zip', 'bytes that are no zip', () => Buffer.from('this is no package\n')],
    ['empty', 'an empty body', () => Buffer.alloc(0)],
    ['no-nuspec', 'a zip without nuspec', () => zip({ 'readme.txt': 'nothing' })],
    [
      'broken-nuspec',
      'a nuspec that is no XML',
      (prefix) => zip({ [`${prefix}.broken.nuspec`]: '<package><metadata>' }),
    ],
    [
      'bad-version',
      'a version that is none',
      (prefix) => zip({ [`${prefix}.bad.nuspec`]: nuspec(`${prefix}.bad`, 'one.two') }),
    ],
    ['bad-id', 'an id with signs', (prefix) => zip({ 'x.nuspec': nuspec(`${prefix}$#!`, '1.0.0') })],
    [
      'truncated',
      'a package that ends half-way',
      (prefix) => makePackage({ id: `${prefix}.cut`, version: '1.0.0' }).subarray(0, 300),
    ],
  ];
  return [
    ...bodies.map(
      ([name, what, make]): Check => ({
        id: `push/refuses-${name}`,
        section: '10.3',
        title: `${what} is refused with 400`,
        level: name === 'bad-id' ? 'should' : 'must',
        breaks: '5xx makes clients try three times; 2xx leaves a package that nobody can install',
        needs: 'push',
        async run(context) {
          const publisher = publisherOf(context);
          const answer = await publisher.push(make(publisher.prefix));
          demand(
            [400, 409, 411, 413, 415, 422].includes(answer.status),
            answer,
            'status 400',
            statusLine(answer),
          );
        },
      }),
    ),
    {
      id: 'push/says-why',
      section: '10.3',
      title: 'the reason of a refusal is in the reason phrase',
      level: 'must',
      breaks: 'choco 2.x and nuget.exe show nothing else: the user sees "400 (Bad Request)"',
      needs: 'push',
      async run(context) {
        const answer = await publisherOf(context).push(Buffer.from('this is no package\n'));
        demand(
          !/^(bad request|conflict|internal server error|unsupported media type)?$/i.test(answer.reason),
          answer,
          'a sentence',
          statusLine(answer),
        );
      },
    },
    {
      id: 'push/says-why-in-body',
      section: '15',
      title: 'the reason is in the body too, as text or XML',
      level: 'should',
      breaks: 'reverse proxies and HTTP/2 drop the reason phrase',
      needs: 'push',
      async run(context) {
        const answer = await publisherOf(context).push(Buffer.from('this is no package\n'));
        demand(
          textOf(answer).trim() !== '' && !/<html/i.test(textOf(answer)),
          answer,
          'text',
          answer.body.length === 0 ? 'an empty body' : 'HTML',
        );
      },
    },
    {
      id: 'push/needs-key',
      section: '10.3',
      title: 'without a key a push is 401 or 403',
      level: 'must',
      breaks: 'the feed: anybody may publish',
      needs: 'push',
      async run(context) {
        const answer = await publisherOf(context).push(makePackage(recipe(context, 'nokey')), {
          key: undefined,
          form: 'choco2',
        });
        demand([401, 403].includes(answer.status), answer, 'status 401 or 403', statusLine(answer));
      },
    },
    {
      id: 'push/wrong-key',
      section: '2.4',
      title: 'a wrong key is 403',
      level: 'should',
      breaks: 'after 401 clients ask for a user name and password, which do not help',
      needs: 'push',
      async run(context) {
        const answer = await publisherOf(context).push(makePackage(recipe(context, 'wrongkey')), {
          key: 'conformance-wrong-key',
        });
        demand(
          answer.status === 403 || (answer.status === 401 && context.credentials !== undefined),
          answer,
          'status 403',
          statusLine(answer),
        );
      },
    },
  ];
}

function conflicts(): Check[] {
  const twice: readonly [string, string, Check['level'], string, string][] = [
    ['duplicate', 'the same version again', 'must', '1.0.0', '1.0.0'],
    ['duplicate-spelling', 'the same version spelled otherwise', 'must', '1.0', '1.0.0.0'],
    [
      'duplicate-metadata',
      'a version that differs in build metadata alone',
      'must',
      '1.0.0-beta.1+a',
      '1.0.0-beta.1+b',
    ],
  ];
  return [
    ...twice.map(
      ([name, what, level, first, second]): Check => ({
        id: `push/${name}`,
        section: '10.3',
        title: `${what} is 409`,
        level,
        breaks:
          'nuget push -SkipDuplicate goes on after 409 alone; choco names the reason for 409 alone; after 2xx a published version was replaced',
        needs: 'push',
        async run(context) {
          const publisher = publisherOf(context);
          const id = `${publisher.prefix}.${name}`;
          const before = await publisher.publish({ id, version: first });
          demand(before.status < 300, before, 'status 201', statusLine(before));
          const answer = await publisher.push(
            makePackage({ id, version: second, description: 'Other bytes.' }),
            { form: 'choco2' },
          );
          demand(answer.status === 409, answer, 'status 409', statusLine(answer));
        },
      }),
    ),
    {
      id: 'push/duplicate-reason',
      section: '10.3',
      title: 'the 409 says "already exists and cannot be modified" in its reason phrase',
      level: 'should',
      breaks: "choco's own tests and scripts look for cannot be modified",
      needs: 'push',
      async run(context) {
        const publisher = publisherOf(context);
        const one = recipe(context, 'reason');
        await publisher.publish(one);
        const answer = await publisher.publish(one);
        demand(
          /cannot be modified/i.test(answer.reason),
          answer,
          'already exists and cannot be modified',
          statusLine(answer),
        );
      },
    },
  ];
}

export function publisherOf({ push }: Context): Publisher {
  return push?.publisher ?? skip('needs --api-key');
}

export function recipe(context: Context, name: string): Recipe {
  return { id: `${publisherOf(context).prefix}.${name}`, version: '1.0.0' };
}

function counted(answers: readonly Answer[]): string {
  const statuses = answers.map(({ status }) => status);
  return [...new Set(statuses)]
    .map((status) => `${statuses.filter((one) => one === status).length} x ${status}`)
    .join(', ');
}
