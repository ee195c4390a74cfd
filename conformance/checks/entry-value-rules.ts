import { propertyOf } from '../../formats/atom-page.ts';
import { parseNuGetVersion, printNormalizedVersion } from '../../formats/nuget-version.ts';
import { descendants } from '../../formats/xml-tree.ts';
import { type Entry, isListed } from '../atom.ts';
import { namespaces } from '../namespaces.ts';
import { dependenciesProblem } from './dependencies-text.ts';
import { type Rule, rule } from './entry-rule.ts';
import { furtherTypes, mappedAway, propertyTypes } from './property-types.ts';

const types: Readonly<Record<string, string>> = { ...propertyTypes, ...furtherTypes };
const isValueType = (name: string): boolean => /Boolean|Int32|Int64/.test(types[name] ?? '');
/** As OData 2 writes dates. */
export const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:\d\d)?$/;

/** What holds of the properties (spec nuget-v2 9.5, 13). */
export const entryValueRules: readonly Rule[] = [
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
