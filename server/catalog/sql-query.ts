import type { PackageQuery } from './query.ts';
import { columns, fromPackages } from './sql-columns.ts';
import { filterSql } from './sql-filter.ts';
import { raw, type Sql, sql } from './sql-term.ts';

/** The rows of one page; `select` is the list of columns. */
export function pageSql(select: string, query: PackageQuery): Sql {
  return sql`SELECT ${raw(select)} ${raw(fromPackages)} WHERE ${whereSql(query)} ORDER BY ${orderSql(query)}
    LIMIT ${query.take} OFFSET ${query.skip}`;
}

/** How many rows there are on all pages together. */
export function countSql(query: PackageQuery): Sql {
  return sql`SELECT count(*) AS count ${raw(fromPackages)} WHERE ${whereSql(query)}`;
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
