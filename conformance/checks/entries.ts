import { propertyOf } from '../../formats/atom-page.ts';
import { childOf } from '../../formats/xml-tree.ts';
import { keyOf } from '../atom.ts';
import type { Check } from '../check.ts';
import type { Context } from '../context.ts';
import { documentOf, type FeedAnswer } from '../feed.ts';
import { namespaces } from '../namespaces.ts';
import { quote, unlisted } from '../samples.ts';
import { demand, skip } from '../verdict.ts';
import type { Rule } from './entry-rule.ts';
import { entryRules } from './entry-rules.ts';

export const entryChecks: readonly Check[] = [
  ...entryRules.map(
    ({ wrong, expected, ...check }): Check => ({
      ...check,
      run: (context) => overEntries(context, expected, wrong),
    }),
  ),
  {
    id: 'entries/unique-ids',
    section: '9.4',
    title: 'each atom id is there once',
    level: 'must',
    breaks: 'WCF (choco 1.x) merges entries of one id: versions are lost',
    async run(context) {
      for (const page of await entryPages(context)) {
        const ids = page.entries.map(({ atomId }) => atomId);
        const twice = ids.filter((id, at) => ids.indexOf(id) !== at);
        demand(twice.length === 0, page, 'each once', `twice: ${twice[0]}`);
      }
    },
  },
  {
    id: 'entries/casing',
    section: '12.5',
    title: 'an id is cased the same in all its versions',
    level: 'should',
    breaks: 'choco groups by it with case',
    async run(context) {
      for (const page of await entryPages(context)) {
        const ids = new Set(page.entries.map(({ id }) => id));
        const folded = new Set([...ids].map((id) => id.toLowerCase()));
        demand(ids.size === folded.size, page, 'one casing', [...ids].join(', '));
      }
    },
  },
  {
    id: 'entries/unlisted-published',
    section: '9.5',
    title: 'unlisted versions are published in the year 1900',
    level: 'should',
    breaks: 'choco and nuget.exe offer what was withdrawn',
    needs: 'push',
    async run({ feed, push, samples }) {
      const gone = push?.fixtures.withdrawn[0];
      const { id, version } = gone ?? unlisted(samples).entry;
      const page = await feed.page(`/FindPackagesById()?id=${quote(id)}&semVerLevel=2.0.0`);
      const entry = page.entries.find((one) => one.version === version);
      if (entry === undefined) return skip('unlisted versions are not shown');
      demand(
        propertyOf(entry, 'Published').startsWith('1900-01-01'),
        page,
        '1900-01-01T00:00:00',
        propertyOf(entry, 'Published'),
      );
    },
  },
  {
    id: 'entries/feed-root',
    section: '9.3',
    title: 'the root is feed in the default namespace, with xml:base and the prefixes d and m',
    level: 'must',
    breaks: 'PSResourceGet searches for entry without prefix, m:count and d:Id',
    async run(context) {
      for (const page of await entryPages(context)) {
        const { root } = page;
        demand(
          root.namespace === namespaces.atom && root.prefix === '',
          page,
          'Atom as default namespace',
          `${root.prefix}:${root.namespace}`,
        );
        const declared = [root.attributes.get('xmlns:d'), root.attributes.get('xmlns:m')];
        demand(
          declared.join() === `${namespaces.d},${namespaces.m}`,
          page,
          'xmlns:d and xmlns:m',
          declared.map((uri) => uri ?? 'none').join(', '),
        );
      }
    },
  },
  {
    id: 'entries/feed-head',
    section: '9.3',
    title: 'a feed has title, id, updated and a self link, also when empty',
    level: 'should',
    breaks: 'Atom readers; WCF wants id and updated',
    async run({ feed }) {
      const answer = await feed.ask("/FindPackagesById()?id='zz-no-such-package'");
      const root = answer.status === 200 ? documentOf(answer) : skip('an unknown id is not answered 200');
      const page = { ...answer, root };
      const absent = ['title', 'id', 'updated', 'link'].filter(
        (name) => childOf(page.root, name) === undefined,
      );
      demand(absent.length === 0, page, 'all four', `no ${absent.join(', ')}`);
      demand(page.root.attributes.has('xml:base'), page, 'xml:base', 'none');
    },
  },
  {
    id: 'entries/same-by-key',
    section: '9.4',
    title: 'the entry by key is the entry of the feed',
    level: 'must',
    breaks: 'choco 2.x takes dependencies from one and hash from the other',
    async run(context) {
      const [page] = await entryPages(context);
      const entry = page?.entries[0] ?? skip('no entry');
      const single = await context.feed.page(`/Packages(Id='${entry.id}',Version='${entry.version}')`);
      const differing = [...entry.properties.keys()].filter(
        (name) =>
          !/DownloadCount$|Latest/.test(name) &&
          propertyOf(entry, name) !== propertyOf(single.entries[0] ?? entry, name),
      );
      demand(differing.length === 0, single, 'the same properties', `other ${differing.join(', ')}`);
    },
  },
];

async function overEntries(context: Context, expected: string, wrong: Rule['wrong']): Promise<void> {
  for (const page of await entryPages(context)) {
    for (const entry of page.entries) {
      const found = wrong(entry, context);
      demand(found === undefined, page, expected, () => `${found} (${keyOf(entry)})`);
    }
  }
}

const pagesOf = new WeakMap<Context, Promise<FeedAnswer[]>>();

/** The first page of some ids, and one search; asked once, however many rules look at it. */
function entryPages(context: Context): Promise<FeedAnswer[]> {
  const { feed, samples } = context;
  if (samples.all.length === 0) skip('no package could be read');
  const before = pagesOf.get(context);
  if (before !== undefined) return before;
  const asked = (async () => {
    const pages: FeedAnswer[] = [];
    for (const { id } of samples.all.slice(0, 6))
      pages.push(await feed.page(`/FindPackagesById()?id=${quote(id)}&semVerLevel=2.0.0`));
    return pages;
  })();
  pagesOf.set(context, asked);
  return asked;
}
