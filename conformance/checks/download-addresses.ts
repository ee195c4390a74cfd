import { createHash } from 'node:crypto';
import { propertyOf } from '../../formats/atom-page.ts';
import { type Entry, newestOf as newest } from '../atom.ts';
import type { Check } from '../check.ts';
import { listedStable, unlisted } from '../samples.ts';
import { demand } from '../verdict.ts';
import { statusLine } from '../wire/answer.ts';
import { download, isZip, smallest } from './download-samples.ts';

/** Where packages are had, in which spellings, and where none are (spec nuget-v2 3, 9.8, 18.1). */
export const downloadAddressChecks: readonly Check[] = [
  {
    id: 'downloads/package-route',
    section: '3',
    title: 'package/{id}/{version} serves the same bytes',
    level: 'must',
    breaks: 'PSResourceGet downloads from there, not from content src',
    async run(context) {
      const { answer, entry } = await download(context);
      const other = await context.feed.ask(`/package/${entry.id}/${entry.version}`);
      demand(other.status === 200, other, 'status 200', statusLine(other));
      demand(other.body.equals(answer.body), other, 'the same bytes', `${other.body.length} other bytes`);
    },
  },
  ...(
    [
      ['any-case', (entry: Entry) => [entry.id.toUpperCase(), entry.version.toUpperCase()]],
      ['other-spelling', (entry: Entry) => [entry.id, entry.parsed?.numbers.join('.') ?? entry.version]],
    ] as const
  ).map(
    ([name, spell]): Check => ({
      id: `downloads/${name}`,
      section: '9.8',
      title:
        name === 'any-case'
          ? 'package/{id}/{version} takes id and version in any case'
          : 'package/{id}/{version} takes the version in any equal spelling',
      level: 'should',
      breaks: 'scripts and PSResourceGet write them as they were typed',
      async run({ feed, samples }) {
        const { entry } = smallest(samples);
        const answer = await feed.ask(`/package/${spell(entry).join('/')}`);
        demand(answer.status === 200 && isZip(answer), answer, 'status 200 and a zip', statusLine(answer));
      },
    }),
  ),
  {
    id: 'downloads/latest',
    section: '18.1',
    title: 'package/{id} serves the latest listed stable version',
    level: 'should',
    breaks: 'scripts that install the newest without asking which',
    async run({ feed, samples }) {
      const { sample } = smallest(samples);
      const answer = await feed.ask(`/package/${sample.id}`);
      demand(answer.status === 200 && isZip(answer), answer, 'status 200 and a zip', statusLine(answer));
      const entry = newest(listedStable(sample.entries));
      const [hash, digest] = [
        entry && propertyOf(entry, 'PackageHash'),
        createHash('sha512').update(answer.body).digest('base64'),
      ];
      demand(hash?.length !== 88 || hash === digest, answer, `the bytes of ${entry?.version}`, 'others');
    },
  },
  {
    id: 'downloads/head',
    section: '3',
    title: 'HEAD tells what GET would give',
    level: 'should',
    breaks: 'proxies and scripts that look before they fetch',
    async run({ feed, samples }) {
      const { entry } = smallest(samples);
      const source = entry.source ?? '';
      const [head, get] = [await feed.askAddress(source, { method: 'HEAD' }), await feed.askAddress(source)];
      demand(head.status === get.status, head, statusLine(get), statusLine(head));
      demand(
        head.headers['content-length'] === get.headers['content-length'],
        head,
        `Content-Length: ${get.headers['content-length']}`,
        head.headers['content-length'] ?? 'none',
      );
    },
  },
  {
    id: 'downloads/unknown',
    section: '9.8',
    title: 'an unknown version is 404',
    level: 'must',
    breaks: 'choco takes whatever comes with 200 for the package',
    async run({ feed, samples }) {
      const { sample } = smallest(samples);
      for (const path of [`/package/${sample.id}/987.654.321`, '/package/zz-no-such-package/1.0.0']) {
        const answer = await feed.ask(path);
        demand(answer.status === 404, answer, 'status 404', statusLine(answer));
      }
    },
  },
  {
    id: 'downloads/traversal',
    section: '9.8',
    title: 'dots and slashes in id and version lead nowhere: 400 or 404',
    level: 'must',
    breaks: 'the server: files outside the feed could be read',
    async run({ feed }) {
      for (const path of [
        '/package/..%2f..%2fetc/passwd',
        '/package/x/..%2f..%2f..%2fetc%2fpasswd',
        '/package/%2e%2e/%2e%2e',
        '/package/x/10../..1.0',
      ]) {
        const answer = await feed.ask(path);
        demand([400, 404].includes(answer.status), answer, 'status 400 or 404', statusLine(answer));
      }
    },
  },
  {
    id: 'downloads/unlisted',
    section: '9.8',
    title: 'an unlisted version can still be downloaded',
    level: 'must',
    breaks: 'machines that are pinned to it cannot be set up again',
    async run({ feed, samples }) {
      const { entry } = unlisted(samples);
      const answer = await feed.askAddress(entry.source ?? '');
      demand(answer.status === 200 && isZip(answer), answer, 'status 200 and a zip', statusLine(answer));
    },
  },
];
