import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { costOf } from '../../../../server/catalog/cost.ts';
import { idOf } from '../../../../server/catalog/one-id.ts';
import type { PackageQuery } from '../../../../server/catalog/query.ts';
import { estimate, maxMainThreadNs } from '../../../../server/catalog/sql/load.ts';
import { countSql, pageSql } from '../../../../server/catalog/sql/query.ts';
import { rowColumns } from '../../../../server/catalog/sql/rows.ts';
import { type Connection, openDatabase } from '../../../../server/database/connection.ts';
import type { Sql } from '../../../../server/database/sql.ts';
import { readOptions } from '../../../../server/odata/options.ts';
import { parseParameters } from '../../../../server/odata/parameters.ts';
import { selectionOf } from '../../../../server/odata/query.ts';
import questions from '../../../wire/questions.json' with { type: 'json' };

const bigFeed = { versions: 165_000, ids: 8_000, textBytes: 500_000_000 };

type Asked = { readonly filter?: string; readonly orderBy?: string; readonly searchTerm?: string };

/** What clients asked, and searches for words of each kind. */
const asked: readonly Asked[] = [
  // choco forgets to double a quote; such a filter is refused (spec nuget-v2 section 8).
  ...questions.filter(({ filter }) => !/\w'\w/.test(filter ?? '')),
  ...["'g'", "'go'", "'tool windows'", "''", "'qqq'"].flatMap((searchTerm) =>
    ['IsLatestVersion', 'IsAbsoluteLatestVersion', undefined].flatMap((filter) =>
      ['Id', 'DownloadCount desc,Id', undefined].map((orderBy) => ({
        searchTerm,
        ...(filter !== undefined && { filter }),
        ...(orderBy !== undefined && { orderBy }),
      })),
    ),
  ),
  { filter: "Id eq 'delve'" },
  { filter: "tolower(Id) eq 'delve'" },
  {},
];

/** With the view of clients that read SemVer 2 and of those that do not. */
function queriesOf({ filter, orderBy, searchTerm }: Asked): PackageQuery[] {
  const pairs = Object.entries({ $filter: filter, $orderby: orderBy, searchTerm });
  const given = pairs.flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return ['', 'semVerLevel=2.0.0'].map((level) => {
    const parameters = parseParameters([...given, level].join('&'));
    const collection = searchTerm === undefined ? 'Packages' : 'Search';
    return { ...selectionOf(collection, readOptions(parameters), parameters), skip: 30, take: 101 };
  });
}

const cases = asked.flatMap((one) =>
  queriesOf(one).map((query) => [`${JSON.stringify(one)} ${query.view}`, query] as const),
);

describe('how SQLite finds', () => {
  let db: Connection;
  beforeAll(() => {
    db = openDatabase(':memory:');
  });
  afterAll(() => db.close());

  const planOf = ({ text, values }: Sql): string[] =>
    db
      .prepare(`EXPLAIN QUERY PLAN ${text}`)
      .all(...values)
      .map((step) => (step as { detail: string }).detail);

  it('the packages that name a blob', () => {
    const text = 'SELECT 1 FROM packages WHERE sha256 = ?';
    expect(planOf({ text, values: ['f'.repeat(64)] })).toEqual([
      'SEARCH packages USING COVERING INDEX packages_of_blob (sha256=?)',
    ]);
  });

  it.each(cases)('%s', (_name, query) => {
    for (const statement of [pageSql(rowColumns(query.view), query), countSql(query)]) {
      const plan = planOf(statement).join('\n');
      const first = /^(SCAN|SEARCH) p\b.*$/m.exec(plan)?.[0] ?? '';
      // Whatever the condition, other tables are entered by their keys, for rows that the index gave.
      expect(plan).not.toMatch(/^SCAN [it]\b/m);
      if (/\bIs(Absolute)?LatestVersion\b/.test(JSON.stringify(query.where))) {
        expect(first).toMatch(/INDEX package_(latest|newest|versions)/);
      }
      if (idOf(query) !== undefined) expect(first).toContain('(id_key=?');
      else if (
        estimate(query, costOf(query), bigFeed) <= maxMainThreadNs &&
        statement.text.includes('LIMIT')
      ) {
        // What everybody waits for ends with the page: nothing is walked to the end to be sorted.
        expect(first).toMatch(/INDEX package_/);
        // Backwards, versions of an id come in the wrong order.
        if (!query.orderBy[0]?.descending) expect(plan).not.toContain('TEMP B-TREE');
      }
      expect(statement.text).not.toMatch(/LIMIT \?(?! \+)/);
    }
  });
});
