import type { Check } from '../check.ts';
import type { PushOptions } from '../publisher.ts';
import { demand } from '../verdict.ts';
import { statusLine } from '../wire/answer.ts';
import { publisherOf, recipe } from './push-context.ts';

/** The same package in all forms and at all addresses (spec nuget-v2 10.1, 10.2). */
export function pushForms(): Check[] {
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
