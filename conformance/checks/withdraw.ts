import { isListed, isTrue, keysOf } from '../atom.ts';
import type { Check } from '../check.ts';
import type { Context } from '../context.ts';
import { quote } from '../samples.ts';
import { demand, skip } from '../verdict.ts';
import { statusLine } from '../wire/answer.ts';
import { short } from './filters.ts';
import { publisherOf } from './push-context.ts';

/** nuget delete, and what is left afterwards (spec nuget-v2 10.4, 12.4). */
export const withdrawChecks: readonly Check[] = [
  ...(['', '/package'] as const).map(
    (path): Check => ({
      id: path === '' ? 'withdraw/delete' : 'withdraw/delete-package',
      section: '10.4',
      title: `DELETE {base}${path}/{id}/{version} is answered 2xx`,
      level: 'must',
      breaks:
        path === '' ? 'nuget delete on a source with a path' : 'nuget delete on a source without a path',
      needs: 'push',
      async run(context) {
        const id = await published(context, path === '' ? 'del' : 'delpackage', ['1.0.0']);
        const answer = await publisherOf(context).unlist(id, '1.0.0', { path });
        demand(answer.status >= 200 && answer.status < 300, answer, 'status 200 or 204', statusLine(answer));
      },
    }),
  ),
  {
    id: 'withdraw/as-typed',
    section: '10.4',
    title: 'the version is taken as it is typed',
    level: 'should',
    breaks: 'nuget delete x 1.0 of what was pushed as 1.0.0',
    needs: 'push',
    async run(context) {
      const id = await published(context, 'typed', ['1.0.0']);
      const answer = await publisherOf(context).unlist(id, '1.0');
      demand(answer.status >= 200 && answer.status < 300, answer, 'status 200 or 204', statusLine(answer));
    },
  },
  {
    id: 'withdraw/not-in-search',
    section: '10.4',
    title: 'what was unlisted is not in Search',
    level: 'must',
    breaks: 'choco search offers what was withdrawn',
    needs: 'push',
    async run(context) {
      const id = await withdrawn(context, 'gone', ['1.0.0']);
      const page = await context.feed.page(
        `/Search()?searchTerm=${quote(id)}&targetFramework=''&includePrerelease=true&$skip=0&$top=30&semVerLevel=2.0.0`,
      );
      const found = page.entries.filter((entry) => entry.id === id);
      demand(found.length === 0, page, 'nothing', short(keysOf(found)));
    },
  },
  {
    id: 'withdraw/flags-move',
    section: '12.4',
    title: 'the latest flags go back to the version before',
    level: 'must',
    breaks: 'choco upgrade and outdated go to a version that was withdrawn, or find none',
    needs: 'push',
    async run(context) {
      const id = await withdrawn(context, 'flags', ['1.0.0', '2.0.0']);
      const page = await context.feed.page(
        `/Packages()?$filter=(tolower(Id)%20eq%20'${id.toLowerCase()}')%20and%20IsLatestVersion`,
      );
      demand(
        keysOf(page.entries).join() === `${id} 1.0.0`.toLowerCase(),
        page,
        `${id} 1.0.0`,
        short(keysOf(page.entries)),
      );
    },
  },
  {
    id: 'withdraw/stays-for-those-who-need-it',
    section: '10.4',
    title: 'it stays in FindPackagesById, published in 1900, and by its key',
    level: 'should',
    breaks: 'restores of pinned versions fail (NuGet.Server PR#41, NuGetGallery#4020)',
    needs: 'push',
    async run(context) {
      const id = await withdrawn(context, 'stays', ['1.0.0']);
      for (const path of [`/FindPackagesById()?id=${quote(id)}`, `/Packages(Id='${id}',Version='1.0.0')`]) {
        const page = await context.feed.page(path);
        const [entry] = page.entries;
        demand(entry !== undefined, page, `${id} 1.0.0`, 'nothing');
        demand(!isListed(entry), page, 'Published 1900-01-01', 'another date');
        demand(
          !isTrue(entry, 'IsLatestVersion') && !isTrue(entry, 'IsAbsoluteLatestVersion'),
          page,
          'no latest flag',
          'one',
        );
      }
    },
  },
  {
    id: 'withdraw/still-downloadable',
    section: '9.8',
    title: 'it can still be downloaded',
    level: 'should',
    breaks: 'machines that are pinned to it cannot be set up again',
    needs: 'push',
    async run(context) {
      const id = await withdrawn(context, 'download', ['1.0.0']);
      const answer = await context.feed.ask(`/package/${id}/1.0.0`);
      demand(answer.status === 200, answer, 'status 200', statusLine(answer));
    },
  },
  {
    id: 'withdraw/no-second-push',
    section: '10.3',
    title: 'pushing it again is 409',
    level: 'must',
    breaks: 'two machines have other bytes under one version',
    needs: 'push',
    async run(context) {
      const id = await withdrawn(context, 'again', ['1.0.0']);
      const answer = await publisherOf(context).publish({ id, version: '1.0.0' });
      demand(answer.status === 409, answer, 'status 409', statusLine(answer));
    },
  },
  {
    id: 'withdraw/unknown',
    section: '10.4',
    title: 'deleting what is not there is 404',
    level: 'must',
    breaks: 'nuget delete of a misspelled version says it is done',
    needs: 'push',
    async run(context) {
      const answer = await publisherOf(context).unlist(`${publisherOf(context).prefix}.never`, '1.0.0');
      demand(answer.status === 404, answer, 'status 404', statusLine(answer));
    },
  },
  {
    id: 'withdraw/wrong-key',
    section: '10.4',
    title: 'deleting with a wrong key is 403 or 401, and nothing happens',
    level: 'must',
    breaks: 'the feed: anybody may withdraw',
    needs: 'push',
    async run(context) {
      const id = await published(context, 'kept', ['1.0.0']);
      const answer = await publisherOf(context).unlist(id, '1.0.0', {
        key: 'conformance-wrong-key',
        isAnonymous: true,
      });
      demand([401, 403].includes(answer.status), answer, 'status 403', statusLine(answer));
      const page = await context.feed.page(`/FindPackagesById()?id=${quote(id)}`);
      demand(
        page.entries.length === 1 && page.entries.every(isListed),
        page,
        'the version, listed',
        'gone or unlisted',
      );
    },
  },
  {
    id: 'withdraw/relist',
    section: '10.4',
    title: 'POST package/{id}/{version} lists it again',
    level: 'may',
    breaks: 'nobody who uses choco; NuGetGallery has it',
    needs: 'push',
    async run(context) {
      const id = await withdrawn(context, 'relist', ['1.0.0']);
      const answer = await publisherOf(context).relist(id, '1.0.0');
      if (answer.status === 404 || answer.status === 405) skip(`not there: ${statusLine(answer)}`);
      demand(answer.status === 200, answer, 'status 200', statusLine(answer));
      const page = await context.feed.page(
        `/Packages()?$filter=(tolower(Id)%20eq%20'${id.toLowerCase()}')%20and%20IsLatestVersion`,
      );
      demand(page.entries.length === 1, page, `${id} 1.0.0`, 'nothing');
    },
  },
];

async function published(context: Context, name: string, versions: readonly string[]): Promise<string> {
  const publisher = publisherOf(context);
  const id = `${publisher.prefix}.${name}`;
  for (const version of versions) {
    const answer = await publisher.publish({ id, version });
    if (answer.status >= 300) skip(`cannot push ${id}: ${statusLine(answer)}`);
  }
  return id;
}

/** The last of the versions is withdrawn. */
async function withdrawn(context: Context, name: string, versions: readonly string[]): Promise<string> {
  const id = await published(context, `w-${name}`, versions);
  const publisher = publisherOf(context);
  const first = await publisher.unlist(id, versions.at(-1) ?? '');
  const answer = first.status < 300 ? first : await publisher.unlist(id, versions.at(-1) ?? '', { path: '' });
  if (answer.status >= 300) skip(`cannot delete ${id}: ${statusLine(answer)}`);
  return id;
}
