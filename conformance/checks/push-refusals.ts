import type { Check } from '../check.ts';
import { makeNuspec, makePackage, zip } from '../nupkg.ts';
import { demand } from '../verdict.ts';
import { statusLine, textOf } from '../wire/answer.ts';
import { publisherOf, recipe } from './push-context.ts';

/** What is no package, or not allowed to come in. */
export function pushRefusals(): Check[] {
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
          isAnonymous: true,
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
          isAnonymous: true,
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

/** What is there already (spec nuget-v2 10.3). */
export function pushConflicts(): Check[] {
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
