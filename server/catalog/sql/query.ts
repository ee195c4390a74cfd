import { plainPackageType } from '../../../formats/nuspec-sdk.ts';
import { raw, type Sql, sql } from '../../database/sql.ts';
import type { SqlValue } from '../../database/statements.ts';
import type { PackageQuery } from '../query.ts';
import { columns, joins } from './columns.ts';
import { filterSql } from './filter.ts';
import { afterSql, type OrderTerm } from './keyset.ts';
import type { HeldView } from './with-held.ts';

/**
 * The rows of one page. `select` is the list of columns, `after` the result of `anchorSql` for `query.after`. An inner query
 * finds the page with as few tables as its conditions need, so that long texts are only read for rows that are sent. `first` is
 * evaluated before any other condition of a row.
 */
export function pageSql(
  select: string,
  query: PackageQuery,
  after?: readonly SqlValue[],
  first: Sql = always,
): Sql {
  return selectPage(raw(select), query, after, first);
}

function selectPage(
  select: Sql,
  query: PackageQuery,
  after: readonly SqlValue[] | undefined,
  first: Sql,
): Sql {
  const terms = orderTerms(query);
  const order = orderSql(terms);
  const asked = whereSql(query, first);
  const where = after ? sql`${asked} AND ${afterSql(terms, after)}` : asked;
  // If an index has that order, the rows are read while the page is found. Otherwise an inner query sorts nothing but keys.
  if (indexedOrders.includes(order.text)) {
    return sql`SELECT ${select} ${fromNeeded(where, select)} ORDER BY ${order}
      ${limitSql(query)}`;
  }
  const page = sql`SELECT p.pk ${fromNeeded(where, order)} ORDER BY ${order}
    ${limitSql(query)}`;
  return sql`SELECT ${select} FROM (${page}) AS page CROSS JOIN packages p ON p.pk = page.pk ${raw(joins.i)}${raw(names.t.test(order.text) ? ` ${joins.t}` : '')}
    ORDER BY ${order}`;
}

/** SQLite plans a query again, which takes it 30 microseconds, each time that its LIMIT is a parameter and nothing else. */
function limitSql({ take, skip }: Pick<PackageQuery, 'take' | 'skip'>): Sql {
  return sql`LIMIT ${take} + 0 OFFSET ${skip} + 0`;
}

/**
 * The same page where some ids have held versions among theirs: merged from the page of all other ids and that of these, each as
 * long as it may be needed.
 */
export function pageWithHeldSql(
  columns: string,
  query: PackageQuery,
  held: HeldView,
  after?: readonly SqlValue[],
  first: Sql = always,
): Sql {
  const terms = orderTerms(query);
  const values = terms.map(({ value }, at) => sql`${value} AS ${raw(orderedBy(at))}`);
  const select = [raw(columns), ...values].reduce((all, next) => sql`${all}, ${next}`);
  const whole = { ...query, skip: 0, take: query.skip + query.take };
  const others = selectPage(select, whole, after, exceptSql(held, first));
  const own = held.withPackages(selectPage(select, whole, after, first));
  const order = orderSql(terms.map(({ isDescending }, at) => ({ value: raw(orderedBy(at)), isDescending })));
  return sql`SELECT * FROM (SELECT * FROM (${others}) UNION ALL SELECT * FROM (${own})) ORDER BY ${order}
    ${limitSql(query)}`;
}

/** How many rows there are on all pages together, where some ids have held versions among theirs. */
export function countWithHeldSql(query: PackageQuery, held: HeldView, first: Sql = always): Sql {
  const others = countSql(query, exceptSql(held, first));
  const own = held.withPackages(countSql(query, first));
  return sql`SELECT (SELECT count FROM (${others})) + (SELECT count FROM (${own})) AS count`;
}

const orderedBy = (at: number): string => `ordered_by_${at}`;

function exceptSql({ ids }: HeldView, first: Sql): Sql {
  return sql`${first} AND p.id_key NOT IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`;
}

const always = raw('1');
const indexedOrders = ['p.id_key ASC, p.version_key DESC', 'p.version_key DESC'];

/** The sort values of one version, where the next page begins. */
export function anchorSql(query: PackageQuery, idKey: string, versionKey: string): Sql {
  const values = orderTerms(query)
    .map(({ value }) => value)
    .reduce((all, next) => sql`${all}, ${next}`);
  const where = sql`p.id_key = ${idKey} AND p.version_key = ${versionKey}`;
  // The values come first, and so do their parameters.
  return sql`SELECT ${values} ${fromNeeded(where, values)}`;
}

/** The number of rows on all pages together. */
export function countSql(query: PackageQuery, first: Sql = always): Sql {
  return sql`SELECT count(*) AS count ${fromNeeded(whereSql(query, first))}`;
}

/** FROM with the tables that the condition and the columns or the order name. Clients' texts are parameters, so all names here are ours. */
function fromNeeded(where: Sql, others: Sql = raw('')): Sql {
  // Texts first: most conditions on them leave few rows for the other tables.
  const named = (['t', 'i'] as const).filter((table) => names[table].test(`${where.text} ${others.text}`));
  return sql`${raw(['FROM packages p', ...named.map((table) => joins[table])].join(' '))} WHERE ${where}`;
}

const names = { t: /\bt\./, i: /\bi\./ } as const;

function whereSql(query: PackageQuery, first: Sql): Sql {
  const conditions = [
    ...(query.view === 'semver1' ? [raw('p.in_semver1 = 1')] : []),
    ...(query.includeUnlisted ? [] : [raw('p.is_listed = 1')]),
    ...(query.includePrerelease ? [] : [raw('p.is_prerelease = 0')]),
    ...(query.id === undefined ? [] : [sql`p.id_key = ${query.id.toLowerCase()}`]),
    ...(query.packageTypes === undefined ? [] : [packageTypesSql(query.packageTypes)]),
    ...(query.search ?? []).map((word) => sql`instr(t.search, ${word.toLowerCase()}) > 0`),
    ...(query.where ? [filterSql(query.where, query.view)] : []),
  ];
  return conditions.reduce((all, next) => sql`${all} AND ${next}`, first);
}

/** A type is an id (`formats/nuspec-sdk.ts`), so it contains no blank. */
function packageTypesSql(types: readonly string[]): Sql {
  return types
    .map((type) => type.toLowerCase())
    .map((type) =>
      type === plainPackageType.toLowerCase()
        ? sql`(p.package_types IS NULL OR instr(p.package_types, ${` ${type} `}) > 0)`
        : sql`instr(p.package_types, ${` ${type} `}) > 0`,
    )
    .reduce((any, next) => sql`(${any} OR ${next})`, raw('0'));
}

/** The requested order; then an id equal to the whole search text (spec nuget-v2 18.1); then the tiebreak of section 8. */
function orderTerms(query: PackageQuery): readonly OrderTerm[] {
  const asked = query.orderBy.flatMap(({ by, descending }): OrderTerm[] => {
    const { sql: plain, key = plain } = columns[query.view][by];
    // Constants order nothing, and SQLite would read a number as that of a column.
    return /\b[ipt]\./.test(key) ? [{ value: raw(key), isDescending: descending }] : [];
  });
  // After an order by Id it would decide nothing and keep SQLite from using the index.
  const wholeText = query.orderBy.some(({ by }) => by === 'Id') ? '' : query.search?.join(' ').toLowerCase();
  const exact = wholeText ? [{ value: sql`(p.id_key = ${wholeText})`, isDescending: true }] : [];
  const prefix = query.idsFirst?.toLowerCase();
  const first = prefix ? [{ value: sql`(instr(p.id_key, ${prefix}) = 1)`, isDescending: true }] : [];
  // If all rows have one id, it orders nothing, and without it a later page starts at its version in the index. Naming it twice
  // would also keep SQLite from using the index.
  const isById = query.id !== undefined || asked.some(({ value }) => value.text === 'p.id_key');
  const byId = !isById ? [{ value: raw('p.id_key'), isDescending: false }] : [];
  const isByVersion = asked.some(({ value }) => value.text === 'p.version_key');
  const byVersion = isByVersion ? [] : [{ value: raw('p.version_key'), isDescending: true }];
  return [...first, ...asked, ...exact, ...byId, ...byVersion];
}

function orderSql(terms: readonly OrderTerm[]): Sql {
  return terms
    .map(({ value, isDescending }) => sql`${value} ${raw(isDescending ? 'DESC' : 'ASC')}`)
    .reduce((all, next) => sql`${all}, ${next}`);
}
