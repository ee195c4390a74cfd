import { parseNuGetVersion, printNormalizedVersion } from '../../formats/nuget-version.ts';
import { type Entry, isListed, keyOf, propertyOf } from '../atom.ts';
import type { Check } from '../check.ts';
import type { Context } from '../context.ts';
import { documentOf, type FeedAnswer } from '../feed.ts';
import { namespaces } from '../namespaces.ts';
import { quote, unlisted } from '../samples.ts';
import { demand, skip } from '../verdict.ts';
import { parseAddress } from '../wire/address.ts';
import { childOf, childrenOf, descendants } from '../xml.ts';
import { dependenciesProblem } from './dependencies-text.ts';
import { furtherTypes, mappedAway, propertyTypes } from './property-types.ts';

type Rule = Omit<Check, 'run'> & {
  /** What is wrong with the entry; undefined when nothing is. */
  readonly wrong: (entry: Entry, context: Context) => string | undefined;
  readonly expected: string;
};

const types: Readonly<Record<string, string>> = { ...propertyTypes, ...furtherTypes };
const isValueType = (name: string): boolean => /Boolean|Int32|Int64/.test(types[name] ?? '');
const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:\d\d)?$/;

/** What holds of every single entry (spec nuget-v2 9.4, 9.5, 13, 15). */
const rules: readonly Rule[] = [
  rule(
    'id',
    '9.4',
    'must',
    "the atom id is absolute and ends in Packages(Id='...',Version='...')",
    'PowerShellGet parses it; WCF (choco 1.x) merges entries by it',
    (entry) =>
      parseAddress(entry.atomId) !== undefined &&
      /\/Packages\(Id='[^']+',Version='[^']+'\)$/.test(entry.atomId)
        ? undefined
        : entry.atomId || 'no id',
  ),
  rule(
    'title',
    '9.4',
    'must',
    'the title is the package id',
    'WCF (choco 1.x) and PSResourceGet take the id from it',
    (entry) => {
      const title = childOf(entry.element, 'title')?.text.trim();
      return title === entry.id ? undefined : `title ${title ?? 'missing'}`;
    },
  ),
  rule(
    'version',
    '9.5',
    'must',
    'd:Version is there and is a version',
    'nuget.exe ends with a NullReferenceException (NuGet/Home#7026)',
    (entry) => (entry.parsed === undefined ? `Version "${entry.version}"` : undefined),
  ),
  rule(
    'content-self-closing',
    '9.4',
    'must',
    'content closes itself',
    'WCF (choco 1.x/0.10.15): "<content></content>" cannot be read',
    (entry) => {
      const content = childOf(entry.element, 'content');
      return content === undefined ? 'no content' : content.isSelfClosing ? undefined : 'an end tag';
    },
  ),
  rule('content-type', '9.4', 'should', 'content has type application/zip', 'OData tools', (entry) => {
    const type = childOf(entry.element, 'content')?.attributes.get('type');
    return type === 'application/zip' ? undefined : `type ${type ?? 'missing'}`;
  }),
  rule(
    'content-src',
    '9.4',
    'must',
    'content has an absolute src',
    'choco 2.x crashes without src, and cannot download from a relative one',
    (entry) => (parseAddress(entry.source ?? '') === undefined ? (entry.source ?? 'no src') : undefined),
  ),
  rule(
    'content-same-origin',
    '2.4',
    'should',
    'content src is on the origin of the feed',
    'credentials are sent to no other host: downloads fail with 401',
    (entry, { feed }) => {
      const [source, base] = [parseAddress(entry.source ?? ''), parseAddress(feed.base)];
      if (source === undefined || base === undefined) return undefined;
      return source.hostname === base.hostname && source.port === base.port ? undefined : source.origin;
    },
  ),
  rule(
    'properties-place',
    '9.4',
    'must',
    'm:properties is a child of entry, not of content',
    'WCF (choco 1.x) reads a media link entry',
    (entry) =>
      childOf(entry.element, 'properties')?.namespace === namespaces.m
        ? undefined
        : childOf(childOf(entry.element, 'content'), 'properties')
          ? 'inside content'
          : 'none',
  ),
  rule(
    'category',
    '9.4',
    'should',
    'category names the type V2FeedPackage',
    'WCF resolves the type by it',
    (entry) => {
      const category = childOf(entry.element, 'category')?.attributes;
      return /(^|\.)V2FeedPackage$/.test(category?.get('term') ?? '') &&
        category?.get('scheme') === namespaces.scheme
        ? undefined
        : (category?.get('term') ?? 'none');
    },
  ),
  rule(
    'links',
    '9.4',
    'should',
    'the links edit and edit-media have an href',
    'WCF (choco 1.x) wants non-empty ones',
    (entry) => {
      const links = childrenOf(entry.element, 'link');
      const missing = ['edit', 'edit-media'].filter(
        (rel) => !links.some(({ attributes }) => attributes.get('rel') === rel && attributes.get('href')),
      );
      return missing.length > 0 ? `no ${missing.join(', ')}` : undefined;
    },
  ),
  rule('updated', '9.4', 'must', 'updated is a date', 'WCF (choco 1.x) fails on another text', (entry) => {
    const updated = childOf(entry.element, 'updated')?.text.trim() ?? '';
    return dateTime.test(updated) ? undefined : updated || 'none';
  }),
  rule(
    'author',
    '9.4',
    'should',
    'author/name holds the authors',
    'choco info and PowerShellGet read them only there',
    (entry) => (childOf(childOf(entry.element, 'author'), 'name')?.text.trim() ? undefined : 'none'),
  ),
  rule(
    'no-null-values',
    '9.5',
    'must',
    'no m:null on booleans and numbers',
    'WCF (choco 1.x/0.10.15) cannot put null into them: the page fails',
    (entry) => {
      const nulls = [...entry.properties]
        .filter(([name, { attributes }]) => isValueType(name) && attributes.get('m:null') === 'true')
        .map(([name]) => name);
      return nulls.length > 0 ? nulls.join(', ') : undefined;
    },
  ),
  rule(
    'booleans',
    '9.5',
    'must',
    'booleans are true or false in lower case',
    'WCF (choco 1.x: "String.Empty type is not compatible with ... Boolean") and PowerShellGet throw',
    (entry) => firstWrong(entry, 'Edm.Boolean', /^(true|false)$/),
  ),
  rule(
    'integers',
    '9.5',
    'must',
    'counts are whole numbers within Int32',
    'WCF (choco 1.x): one overflow loses the list',
    (entry) => {
      const wrong = firstWrong(entry, 'Edm.Int32', /^-?\d+$/);
      return (
        wrong ??
        ['DownloadCount', 'VersionDownloadCount'].filter(
          (name) => Number(propertyOf(entry, name)) > 2_147_483_647,
        )[0]
      );
    },
  ),
  rule(
    'dates',
    '9.5',
    'must',
    'dates are dates',
    'WCF (choco 1.x) and choco 2.x throw on others; an empty element is no null',
    (entry) => firstWrong(entry, 'Edm.DateTime', dateTime),
  ),
  rule(
    'published',
    '9.5',
    'must',
    'Published is there and not null',
    'older clients end with an error (NuGetGallery#46)',
    (entry) => (propertyOf(entry, 'Published') === '' ? 'null or missing' : undefined),
  ),
  rule(
    'types',
    '9.5',
    'should',
    'what is no text says its type by m:type',
    'WCF and OData tools take it for a string',
    (entry) => {
      const wrong = [...entry.properties].filter(
        ([name, { attributes }]) =>
          types[name] !== undefined &&
          types[name] !== 'Edm.String' &&
          attributes.get('m:type') !== types[name],
      );
      return wrong.length > 0 ? wrong.map(([name]) => name).join(', ') : undefined;
    },
  ),
  rule(
    'flags-there',
    '9.5',
    'must',
    'IsLatestVersion, IsAbsoluteLatestVersion and IsPrerelease are there',
    'PSResourceGet drops packages without IsPrerelease; clients choose by the flags',
    (entry) => missing(entry, ['IsLatestVersion', 'IsAbsoluteLatestVersion', 'IsPrerelease']),
  ),
  rule(
    'is-prerelease',
    '9.5',
    'must',
    'IsPrerelease says what the version says',
    'PSResourceGet hides or shows the wrong versions',
    (entry) => {
      const said = propertyOf(entry, 'IsPrerelease').toLowerCase();
      return entry.parsed === undefined || said === '' || said === String(entry.parsed.labels.length > 0)
        ? undefined
        : `IsPrerelease ${said} of ${entry.version}`;
    },
  ),
  rule(
    'normalized-version',
    '9.5',
    'should',
    'NormalizedVersion is the normalized version',
    'PSResourceGet installs by it',
    (entry) => {
      const said = propertyOf(entry, 'NormalizedVersion');
      const version = parseNuGetVersion(entry.version);
      const expected = version && printNormalizedVersion(version);
      return said === expected ? undefined : `${said || 'none'} of ${entry.version}`;
    },
  ),
  rule(
    'hash',
    '9.5',
    'must',
    'PackageHash is base64 SHA512 with PackageHashAlgorithm, or not there',
    'choco: hash validation fails or warns; 1.x downloads again each time',
    (entry) => {
      const [hash, algorithm] = [propertyOf(entry, 'PackageHash'), propertyOf(entry, 'PackageHashAlgorithm')];
      if (!entry.properties.has('PackageHash')) return undefined;
      return /^[A-Za-z0-9+/]{86}==$/.test(hash) && algorithm === 'SHA512'
        ? undefined
        : `${algorithm || 'no algorithm'}, ${hash.length} characters`;
    },
  ),
  rule(
    'hash-there',
    '9.5',
    'should',
    'PackageHash is there',
    'choco cannot validate downloads, and asks once more before each',
    (entry) => (propertyOf(entry, 'PackageHash') === '' ? 'none' : undefined),
  ),
  rule(
    'urls',
    '9.5',
    'must',
    'addresses are absolute or null',
    'PowerShellGet throws on an invalid one',
    (entry) => {
      const wrong = [...entry.properties].filter(
        ([name, { text }]) => /Url$/.test(name) && text.trim() !== '' && !URL.canParse(text.trim()),
      );
      return wrong.length > 0
        ? wrong.map(([name, { text }]) => `${name} ${text.trim().slice(0, 40)}`).join(', ')
        : undefined;
    },
  ),
  rule(
    'dependencies',
    '13',
    'must',
    'Dependencies is id:range:framework joined by |',
    'choco 2.x and nuget.exe 5: an unreadable range throws for the whole page',
    (entry) => dependenciesProblem(propertyOf(entry, 'Dependencies')),
  ),
  rule('approved', '9.5', 'should', 'IsApproved is there', 'choco --approved-only finds nothing', (entry) =>
    missing(entry, ['IsApproved']),
  ),
  rule(
    'all-properties',
    '9.5',
    'may',
    'every property of section 9.5 is there',
    'choco info prints less',
    (entry) =>
      missing(
        entry,
        Object.keys(propertyTypes).filter((name) => !mappedAway.includes(name)),
      ),
  ),
  rule(
    'no-comments',
    '7',
    'should',
    'no comments within entries',
    'PSResourceGet walks the child nodes',
    (entry) =>
      [...descendants(entry.element)].some(({ hasComment }) => hasComment) ? 'a comment' : undefined,
  ),
  rule(
    'prefixes',
    '7',
    'must',
    'properties have the prefix d',
    'PSResourceGet searches the text for d:Id and d:Version',
    (entry) => {
      const other = [...entry.properties.values()].find(
        ({ prefix, namespace }) => prefix !== 'd' || namespace !== namespaces.d,
      );
      return other === undefined ? undefined : `${other.prefix}:${other.name} in ${other.namespace}`;
    },
  ),
  rule(
    'listed-agrees',
    '9.5',
    'must',
    'Listed, where it is, agrees with Published',
    'choco 1.x believes either: a withdrawn version is offered',
    (entry) => {
      const said = propertyOf(entry, 'Listed').toLowerCase();
      return said === '' || said === String(isListed(entry))
        ? undefined
        : `Listed ${said}, Published ${propertyOf(entry, 'Published')}`;
    },
  ),
];

export const entryChecks: readonly Check[] = [
  ...rules.map(
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

function rule(
  name: string,
  section: string,
  level: Check['level'],
  title: string,
  breaks: string,
  wrong: Rule['wrong'],
): Rule {
  return { id: `entries/${name}`, section, level, title, breaks, wrong, expected: title };
}

function missing(entry: Entry, names: readonly string[]): string | undefined {
  const absent = names.filter((name) => !entry.properties.has(name));
  return absent.length > 0 ? `no ${absent.join(', ')}` : undefined;
}

function firstWrong(entry: Entry, type: string, form: RegExp): string | undefined {
  for (const [name, { text, attributes }] of entry.properties) {
    if (types[name] !== type || attributes.get('m:null') === 'true') continue;
    if (!form.test(text)) return `${name} "${text.slice(0, 40)}"`;
  }
  return undefined;
}
