import type { Connection } from '../../database/connection.ts';
import { inTime, type Scans } from '../../database/scans.ts';
import type { Sql } from '../../database/sql.ts';
import type { SqlValue } from '../../database/statements.ts';
import { fail } from '../../errors.ts';
import { createPause } from '../../pause.ts';
import type { CatalogReader, PackageFile, PackageReads, PackageRow } from '../catalog.ts';
import { costOf } from '../cost.ts';
import type { Nuspecs } from '../nuspecs.ts';
import type { PackageQuery, SemVerView } from '../query.ts';
import { joins } from './columns.ts';
import { estimate, type KnownSizes, maxHereNs, maxQuickNs } from './load.ts';
import { createNewestSearch } from './newest-search.ts';
import { createNewestTexts } from './newest-texts.ts';
import { isPurged } from './purge.ts';
import { anchorSql, countSql, pageSql } from './query.ts';
import type { SqlRevisions } from './revisions.ts';
import { packageKey, type RawRow, rowColumns, toLatePackageRow, toPackageRow } from './rows.ts';
import { readVersionsOf } from './versions-of.ts';

/** The first rows of an answer get their nuspecs immediately, which is faster. */
const atOnce = 100;

export type ReadDeps = {
  readonly db: Connection;
  /** Runs queries that would block everybody else; an operator's verb has nobody else to block. */
  readonly scans: Scans | undefined;
  readonly sizes: KnownSizes;
  readonly revisions: SqlRevisions;
  readonly nuspecs: Nuspecs;
};

/** Reading packages in SQLite. */
export function createReads({ db, scans, sizes, revisions, nuspecs }: ReadDeps): PackageReads {
  const { prepare } = db;
  const newestSearch = createNewestSearch(createNewestTexts(prepare, revisions));

  function findRow(where: string, values: readonly SqlValue[], view: SemVerView) {
    const text = `SELECT ${rowColumns(view)} FROM packages p ${joins.i} WHERE ${where}`;
    const [row] = allRaw<RawRow>({ text, values });
    return row && toPackageRow(row, nuspecs);
  }

  // better-sqlite3 does not know a statement's row type; the SQL next to each call has to guarantee it.
  function get<Row>({ text, values }: Sql): Row | undefined {
    return prepare(text).get(...values) as Row | undefined;
  }
  function allRaw<Row>({ text, values }: Sql): Row[] {
    return prepare(text)
      .raw()
      .all(...values) as Row[];
  }

  /**
   * On this thread if the query is fast, otherwise on the worker thread.
   * @throws FeedError QUERY_TOO_COSTLY, QUERY_TOO_SLOW, QUERY_BUSY
   */
  function ask<Row extends unknown[]>(
    query: PackageQuery,
    from: string | undefined,
    sqlWith: (first?: Sql) => Sql,
  ): Row[] | Promise<Row[]> {
    const ns = estimate(query, costOf(query), sizes.now());
    if (scans === undefined || ns <= maxHereNs) return allRaw<Row>(sqlWith());
    const options = { isQuick: ns <= maxQuickNs, state: revisions.numbers.all(), from };
    return scans.run(sqlWith(inTime), options) as Promise<Row[]>;
  }

  function anchorOf(query: PackageQuery): readonly SqlValue[] | undefined {
    if (query.after === undefined) return undefined;
    const key = packageKey(query.after.id, query.after.version);
    const isOfQuery = query.id === undefined || query.id.toLowerCase() === key?.idKey;
    const [found] = key && isOfQuery ? allRaw<SqlValue[]>(anchorSql(query, key.idKey, key.versionKey)) : [];
    return (
      found ?? fail('QUERY_INVALID', { problem: 'its $skiptoken is not from a next link of this feed.' })
    );
  }

  /** Undefined when a purge came in between: texts that the rows refer to may be gone, or belong to another package. */
  async function queryUnlessPurged(
    query: PackageQuery,
    from: string | undefined,
  ): Promise<PackageRow[] | undefined> {
    const before = nuspecs.purges();
    const columns = rowColumns(query.view);
    const after = anchorOf(query);
    const rows =
      rowsInMemory(query) ??
      (await ask<RawRow>(query, from, (first) => pageSql(columns, query, after, first)));
    // Read while the answer is being written; by then, after a purge, its `pk` may belong to another package.
    const late = { of: (pk: number) => (nuspecs.purges() === before ? nuspecs.of(pk) : fail('QUERY_BUSY')) };
    const pause = createPause();
    const found: PackageRow[] = [];
    for (const row of rows) {
      if (nuspecs.purges() !== before) break;
      found.push(found.length < atOnce ? toPackageRow(row, nuspecs) : toLatePackageRow(row, late));
      if (pause.isDue()) await pause.take();
    }
    return nuspecs.purges() === before ? found : undefined;
  }

  /** The rows of a search that can be answered from memory. */
  function rowsInMemory(query: PackageQuery): RawRow[] | undefined {
    costOf(query);
    const found = newestSearch.find(query);
    if (found === undefined) return undefined;
    const text = `SELECT ${rowColumns(query.view)} FROM json_each(?) page CROSS JOIN packages p ON p.pk = page.value ${joins.i}
      ORDER BY page.key`;
    return allRaw<RawRow>({ text, values: [JSON.stringify(found)] });
  }

  function readerFor(from: string | undefined): CatalogReader {
    return {
      async query(query) {
        for (;;) {
          const found = await queryUnlessPurged(query, from);
          if (found !== undefined) return found;
        }
      },
      async count(query) {
        costOf(query);
        const counted = newestSearch.count(query);
        if (counted !== undefined) return counted;
        const all = { ...query, skip: 0, take: Number.POSITIVE_INFINITY };
        const [row] = await ask<[count: number]>(all, from, (first) => countSql(query, first));
        return row?.[0] ?? 0;
      },
    };
  }

  return {
    ...readerFor(undefined),
    readerFor,
    versionsOf: (ids, seen, each) => readVersionsOf(prepare, ids, seen, each),
    async find(id, version, view = 'semver2') {
      const key = packageKey(id, version);
      return key && findRow('p.id_key = ? AND p.version_key = ?', [key.idKey, key.versionKey], view);
    },
    async findLatest(id) {
      return findRow('p.id_key = ? AND p.latest_semver2 = 1', [id.toLowerCase()], 'semver2');
    },
    async findFile(id, version) {
      const which = version === undefined ? 'p.latest_semver2 = 1' : 'p.version_key = ?';
      const text = `SELECT i.id, p.normalized_version AS normalizedVersion, p.sha256, p.size_bytes AS sizeBytes
        FROM packages p ${joins.i} WHERE p.id_key = ? AND ${which}`;
      if (version === undefined) return get<PackageFile>({ text, values: [id.toLowerCase()] });
      const key = packageKey(id, version);
      return key && get<PackageFile>({ text, values: [key.idKey, key.versionKey] });
    },
    async isPurged(id, version) {
      const key = packageKey(id, version);
      return key !== undefined && isPurged(prepare, key);
    },
    async size() {
      return get<{ size: number }>({ text: 'SELECT count(*) AS size FROM packages', values: [] })?.size ?? 0;
    },
    async totals() {
      const text = `SELECT count(*) AS versions, coalesce(sum(size_bytes), 0) AS bytes,
        (SELECT count(*) FROM ids) AS ids FROM packages`;
      const none = { ids: 0, versions: 0, bytes: 0 };
      return get<typeof none>({ text, values: [] }) ?? none;
    },
    async ping() {
      prepare('SELECT revision FROM state').get();
    },
  };
}
