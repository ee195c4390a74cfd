import type { PackageQuery } from './query.ts';
import { columns, joins } from './sql-columns.ts';
import { filterSql } from './sql-filter.ts';
import { raw, type Sql, sql } from './sql-term.ts';

/**
 * The rows of one page; `select` is the list of columns. The page is found first, among no more tables than its
 * conditions need: long texts are read for the rows that are sent, not for those that were looked at.
 */
export function pageSql(select: string, query: PackageQuery): Sql {
  const order = orderSql(query);
  const page = sql`SELECT p.pk ${fromNeeded(whereSql(query), order)} ORDER BY ${order}
    LIMIT ${query.take} OFFSET ${query.skip}`;
  return sql`SELECT ${raw(select)} FROM (${page}) AS page CROSS JOIN packages p ON p.pk = page.pk ${raw(joins.i)} ${raw(joins.t)}
    ORDER BY ${order}`;
}

/** How many rows there are on all pages together. */
export function countSql(query: PackageQuery): Sql {
  return sql`SELECT count(*) AS count ${fromNeeded(whereSql(query))}`;
}

/** FROM with the tables that the condition and the order name. Texts of clients are parameters, so these are our own. */
function fromNeeded(where: Sql, order: Sql = raw('')): Sql {
  const named = (['i', 't'] as const).filter((table) =>
    new RegExp(`\\b${table}\\.`).test(`${where.text} ${order.text}`),
  );
  return sql`${raw(['FROM packages p', ...named.map((table) => joins[table])].join(' '))} WHERE ${where}`;
}

function whereSql(query: PackageQuery): Sql {
  const conditions = [
    ...(query.view === 'semver1' ? [raw('p.in_semver1 = 1')] : []),
    ...(query.includeUnlisted ? [] : [raw('p.is_listed = 1')]),
    ...(query.includePrerelease ? [] : [raw('p.is_prerelease = 0')]),
    ...(query.id === undefined ? [] : [sql`p.id_key = ${query.id.toLowerCase()}`]),
    ...(query.search ?? []).map((word) => sql`instr(t.search, ${word.toLowerCase()}) > 0`),
    ...(query.where ? [filterSql(query.where, query.view)] : []),
  ];
  return conditions.reduce((all, next) => sql`${all} AND ${next}`, raw('1'));
}

/** What was asked for; then an id that is the whole search text (spec nuget-v2 18.1); then the tiebreak of section 8. */
function orderSql(query: PackageQuery): Sql {
  const asked = query.orderBy.map(({ by, descending }) => {
    const column = columns[query.view][by];
    return raw(`${column.key ?? column.sql} ${descending ? 'DESC' : 'ASC'}`);
  });
  // Behind an order by Id it could decide nothing, and would keep SQLite from following the index.
  const wholeText = query.orderBy.some(({ by }) => by === 'Id') ? '' : query.search?.join(' ').toLowerCase();
  const exact = wholeText ? [sql`p.id_key = ${wholeText} DESC`] : [];
  const tiebreak = raw('p.id_key, p.version_key DESC');
  return [...asked, ...exact, tiebreak].reduce((all, next) => sql`${all}, ${next}`);
}
