import { compareNuGetVersions, parseNuGetVersion } from '../../../formats/nuget-version.ts';
import { dependenciesText } from '../../../formats/nuspec.ts';
import type { PackageRow } from '../../../server/catalog/catalog.ts';
import { type Expression, moderation, type QueryProperty } from '../../../server/catalog/query.ts';

/** A text knows where it came from, which decides how it is compared (spec nuget-v2 section 8, 18.1). */
type Text = {
  readonly text: string;
  readonly ignoresCase?: boolean;
  readonly origin?: 'version' | 'literal';
  /** Words with blanks between them; between blanks each is found as a whole (spec nuget-v2 4.1, 9.5). */
  readonly isWordList?: boolean;
};
type Value = null | boolean | number | Date | Text;

/** The plain reading of the specification, row by row: what the SQL must agree with. */
export function evaluate(expression: Expression, row: PackageRow): boolean {
  return read(expression, row) === true;
}

function read(expression: Expression, row: PackageRow): Value {
  switch (expression.kind) {
    case 'text':
      return { text: expression.value, origin: 'literal' };
    case 'number':
    case 'boolean':
      return expression.value;
    case 'date':
      return new Date(expression.value);
    case 'null':
      return null;
    case 'property':
      return propertyOf(expression.name, row);
    case 'and':
      return evaluate(expression.left, row) && evaluate(expression.right, row);
    case 'or':
      return evaluate(expression.left, row) || evaluate(expression.right, row);
    case 'not':
      return !evaluate(expression.operand, row);
    case 'compare':
      return compare(expression, row);
    case 'call':
      return call(expression, row);
  }
}

function propertyOf(name: QueryProperty, row: PackageRow): Value {
  const text = (value: string | undefined): Value => (value === undefined ? null : { text: value });
  const tags = row.nuspec.tags.join(' ');
  const values: Record<QueryProperty, () => Value> = {
    Id: () => ({ text: row.id, ignoresCase: true }),
    Version: () => ({ text: row.version, origin: 'version' }),
    NormalizedVersion: () => ({ text: row.normalizedVersion, origin: 'version' }),
    Title: () => text(row.nuspec.title),
    Summary: () => text(row.nuspec.summary),
    Description: () => text(row.nuspec.description),
    Tags: () => (tags === '' ? null : { text: tags, ignoresCase: true, isWordList: true }),
    Authors: () => text(row.nuspec.authors),
    Owners: () => text(row.nuspec.owners),
    Dependencies: () => text(dependenciesText(row.nuspec) || undefined),
    IsLatestVersion: () => row.isLatest,
    IsAbsoluteLatestVersion: () => row.isAbsoluteLatest,
    IsPrerelease: () => row.isPrerelease,
    Listed: () => row.isListed,
    IsApproved: () => moderation.IsApproved,
    IsDownloadCacheAvailable: () => moderation.IsDownloadCacheAvailable,
    PackageTestResultStatus: () => text(moderation.PackageTestResultStatus),
    PackageStatus: () => text(moderation.PackageStatus),
    Published: () => (row.isListed ? row.published : new Date('1900-01-01T00:00:00Z')),
    Created: () => row.created,
    LastUpdated: () => row.lastEdited,
    LastEdited: () => row.lastEdited,
    DownloadCount: () => row.downloads,
    VersionDownloadCount: () => row.versionDownloads,
    PackageSize: () => row.sizeBytes,
  };
  return values[name]();
}

function compare(
  { operator, left, right }: Extract<Expression, { kind: 'compare' }>,
  row: PackageRow,
): boolean {
  const [a, b] = [read(left, row), read(right, row)];
  if (isNullLiteral(left) || isNullLiteral(right)) {
    const areBothNull = a === null && b === null;
    return operator === 'eq' ? areBothNull : operator === 'ne' && !areBothNull;
  }
  if (a === null || b === null) return false;
  const order = isText(a) && isText(b) ? orderTexts(a, b) : Number(a) - Number(b);
  const verdicts = {
    eq: order === 0,
    ne: order !== 0,
    gt: order > 0,
    ge: order >= 0,
    lt: order < 0,
    le: order <= 0,
  };
  return verdicts[operator];
}

/** `null`, or a function of it that is no predicate: null whatever the row. */
function isNullLiteral(expression: Expression): boolean {
  if (expression.kind !== 'call') return expression.kind === 'null';
  return !isPredicate(expression.name) && expression.args.some(isNullLiteral);
}

function isPredicate(name: string): boolean {
  return ['substringof', 'startswith', 'endswith'].includes(name);
}

function orderTexts(a: Text, b: Text): number {
  if ((a.origin === 'version' && b.origin) || (b.origin === 'version' && a.origin)) {
    const [x, y] = [parseNuGetVersion(a.text), parseNuGetVersion(b.text)];
    return x && y ? compareNuGetVersions(x, y) : Number(x !== undefined) - Number(y !== undefined);
  }
  const [x, y] = inSameCase(a, b);
  return Buffer.compare(Buffer.from(x), Buffer.from(y));
}

function call({ name, args }: Extract<Expression, { kind: 'call' }>, row: PackageRow): Value {
  const values = args.map((arg) => read(arg, row));
  const [first, second = first] = values.filter(isText);
  if (values.includes(null) || !first || !second) return isPredicate(name) ? false : null;
  const [a, b] = inSameCase(first, second);
  const { ignoresCase = false, isWordList = false } = first;
  switch (name) {
    case 'substringof':
      return (second.isWordList ? ` ${b} ` : b).includes(a);
    case 'startswith':
      return a.startsWith(b);
    case 'endswith':
      return a.endsWith(b);
    case 'tolower':
      return { text: first.text.toLowerCase(), ignoresCase, isWordList };
    case 'toupper':
      return { text: first.text.toUpperCase(), ignoresCase, isWordList };
    case 'trim':
      return { text: first.text.trim(), ignoresCase };
    case 'length':
      return first.text.length;
    case 'indexof':
      return a.indexOf(b);
    case 'concat':
      return { text: first.text + second.text, ignoresCase: ignoresCase || (second.ignoresCase ?? false) };
  }
}

function inSameCase(a: Text, b: Text): [string, string] {
  return a.ignoresCase || b.ignoresCase ? [a.text.toLowerCase(), b.text.toLowerCase()] : [a.text, b.text];
}

function isText(value: Value): value is Text {
  return typeof value === 'object' && value !== null && 'text' in value;
}
