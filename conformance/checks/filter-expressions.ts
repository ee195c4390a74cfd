import { propertyOf } from '../../formats/atom-page.ts';
import { compareNuGetVersions } from '../../formats/nuget-version.ts';
import { type Entry, isListed, isTrue, keyOf } from '../atom.ts';
import type { Level } from '../check.ts';

export type Expression = {
  readonly name: string;
  readonly section?: string;
  readonly level: Level;
  readonly breaks: string;
  /** As a client writes it, for an id and one of its versions. */
  readonly write: (id: string, version: string) => string;
  /** Whether it is true of an entry of that id; `picked` has the version that was written. */
  readonly holds: (entry: Entry, picked: Entry) => boolean;
};

const isPre = (entry: Entry): boolean => (entry.parsed?.labels.length ?? 0) > 0;
const order = (a: Entry, b: Entry): number =>
  a.parsed && b.parsed ? compareNuGetVersions(a.parsed, b.parsed) : 0;
const grammar = 'whoever combines filters: PSResourceGet, scripts, mirrors';
const all = (): boolean => true;
const none = (): boolean => false;

/** Each is compared with what the unfiltered versions of the id say (spec nuget-v2 8). */
export const expressions: readonly Expression[] = [
  {
    name: 'bare-boolean',
    level: 'must',
    breaks: 'every choco query ends in a bare IsLatestVersion',
    write: () => 'IsPrerelease',
    holds: isPre,
  },
  {
    name: 'boolean-eq',
    level: 'must',
    breaks: 'PSResourceGet: IsPrerelease eq false',
    write: () => 'IsPrerelease eq false',
    holds: (entry) => !isPre(entry),
  },
  {
    name: 'not',
    level: 'should',
    breaks: grammar,
    write: () => 'not IsPrerelease',
    holds: (entry) => !isPre(entry),
  },
  {
    name: 'or',
    level: 'must',
    breaks: 'choco 2.x without Search joins its terms by or',
    write: () => 'IsPrerelease or IsLatestVersion',
    holds: (entry) => isPre(entry) || isTrue(entry, 'IsLatestVersion'),
  },
  { name: 'precedence', level: 'must', breaks: grammar, write: () => 'false and false or true', holds: all },
  {
    name: 'constants',
    level: 'should',
    breaks: 'choco 1.x --not-broken sends (IsDownloadCacheAvailable and false)',
    write: () => '1 eq 1 and false',
    holds: none,
  },
  {
    name: 'version-eq',
    level: 'must',
    breaks: 'scripts and mirrors ask for a version by Version eq',
    write: (_, version) => `Version eq '${version}'`,
    holds: (entry, picked) => keyOf(entry) === keyOf(picked),
  },
  {
    name: 'version-ne',
    level: 'should',
    breaks: grammar,
    write: (_, version) => `Version ne '${version}'`,
    holds: (entry, picked) => keyOf(entry) !== keyOf(picked),
  },
  {
    name: 'normalized-version-ge',
    section: '7',
    level: 'should',
    breaks: 'PSResourceGet -Version [1.0,2.0] sees other versions when texts are compared',
    write: (_, version) => `NormalizedVersion ge '${version}'`,
    holds: (entry, picked) => order(entry, picked) >= 0,
  },
  {
    name: 'normalized-version-lt',
    section: '7',
    level: 'should',
    breaks: 'PSResourceGet -Version with an upper end',
    write: (_, version) => `NormalizedVersion lt '${version}'`,
    holds: (entry, picked) => order(entry, picked) < 0,
  },
  {
    name: 'substringof-lower',
    section: '4.1',
    level: 'must',
    breaks: 'choco search --by-id-only',
    write: (id) => `substringof('${middle(id)}',tolower(Id))`,
    holds: all,
  },
  {
    name: 'substringof-eq-true',
    section: '7',
    level: 'should',
    breaks: 'PSResourceGet tags: substringof(...) eq true',
    write: (id) => `substringof('${middle(id)}', tolower(Id)) eq true`,
    holds: all,
  },
  {
    name: 'substringof-none',
    section: '4.1',
    level: 'must',
    breaks: 'choco search --by-id-only lists everything',
    write: () => "substringof('zz-none-zz',tolower(Id))",
    holds: none,
  },
  {
    name: 'startswith-lower',
    section: '4.1',
    level: 'must',
    breaks: 'choco search --id-starts-with',
    write: (id) => `startswith(tolower(Id),'${id.toLowerCase().slice(0, 3)}')`,
    holds: all,
  },
  {
    name: 'startswith-none',
    section: '4.1',
    level: 'must',
    breaks: 'choco search --id-starts-with lists everything',
    write: (id) => `startswith(tolower(Id),'${id.toLowerCase().slice(1)}')`,
    holds: none,
  },
  {
    name: 'endswith',
    section: '7',
    level: 'should',
    breaks: 'PSResourceGet -Name *x',
    write: (id) => `endswith(Id, '${id.slice(-3)}')`,
    holds: all,
  },
  {
    name: 'null-guard',
    section: '4.1',
    level: 'must',
    breaks: 'choco 2.x and nuget.exe without Search guard each term by ne null',
    write: (id) => `(Id ne null) and substringof('${middle(id)}',tolower(Id))`,
    holds: all,
  },
  { name: 'eq-null', level: 'should', breaks: grammar, write: () => 'Id eq null', holds: none },
  { name: 'number-ge', level: 'should', breaks: grammar, write: () => 'DownloadCount ge 0', holds: all },
  { name: 'number-lt', level: 'should', breaks: grammar, write: () => 'DownloadCount lt 0', holds: none },
  {
    name: 'date-gt',
    level: 'should',
    breaks: 'mirrors ask for what is new; listed by Published gt 1901',
    write: () => "Published gt datetime'1901-01-01T00:00:00'",
    holds: isListed,
  },
  {
    name: 'date-lt',
    level: 'should',
    breaks: 'mirrors ask for what is old',
    write: () => "Created lt datetime'1970-01-01T00:00:00'",
    holds: none,
  },
  {
    name: 'approved',
    section: '5',
    level: 'must',
    breaks: 'choco 1.x --approved-only filters on the server',
    write: () => 'IsApproved',
    holds: (entry) => isTrue(entry, 'IsApproved'),
  },
  {
    name: 'download-cache',
    section: '5',
    level: 'must',
    breaks: 'choco 1.x --download-cache-only filters on the server',
    write: () => 'IsDownloadCacheAvailable',
    holds: (entry) => isTrue(entry, 'IsDownloadCacheAvailable'),
  },
  {
    name: 'not-broken',
    section: '5',
    level: 'must',
    breaks: 'choco 1.x --not-broken filters on the server',
    write: () => "(IsDownloadCacheAvailable and false) or (PackageTestResultStatus ne 'Failing')",
    holds: (entry) => propertyOf(entry, 'PackageTestResultStatus') !== 'Failing',
  },
  {
    name: 'nested-parentheses',
    section: '4.1',
    level: 'must',
    breaks: 'choco joins options as ((A) and B) and IsLatestVersion',
    write: (id) => `((startswith(tolower(Id),'${id.toLowerCase().slice(0, 3)}')) and IsLatestVersion)`,
    holds: (entry) => isTrue(entry, 'IsLatestVersion'),
  },
];

function middle(id: string): string {
  return id.toLowerCase().slice(1, 6);
}
