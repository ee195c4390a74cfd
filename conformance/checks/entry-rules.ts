import { childOf, childrenOf } from '../../formats/xml-tree.ts';
import { namespaces } from '../namespaces.ts';
import { parseAddress } from '../wire/address.ts';
import { type Rule, rule } from './entry-rule.ts';
import { dateTime, entryValueRules } from './entry-value-rules.ts';

/** What holds of every single entry (spec nuget-v2 9.4, 9.5, 13, 15). */
export const entryRules: readonly Rule[] = [
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
  ...entryValueRules,
];
