import { inSpan } from '../../../tracing/spans.ts';
import type { Connection } from '../../database/connection.ts';
import { inTime, type Scans } from '../../database/scans.ts';
import { raw, type Sql, sql } from '../../database/sql.ts';
import type { SqlValue } from '../../database/statements.ts';
import { fail } from '../../errors.ts';
import { createPause } from '../../pause.ts';
import type { CatalogReader, PackageFile, PackageRow, Unchanged } from '../catalog.ts';
import { costOf } from '../cost.ts';
import type { VersionReads } from '../held.ts';
import type { Nuspecs } from '../nuspecs.ts';
import { idOf } from '../one-id.ts';
import type { PackageQuery, SemVerView } from '../query.ts';
import { joins } from './columns.ts';
import { estimate, type KnownSizes, maxMainThreadNs, maxQuickNs } from './load.ts';
import type { NewestSearch } from './newest-search.ts';
import { anchorSql, countSql, countWithHeldSql, pageSql, pageWithHeldSql } from './query.ts';
import type { SqlRevisions } from './revisions.ts';
import { packageKey, type RawRow, rowColumns, toLatePackageRow, toPackageRow } from './rows.ts';
import { readVersionsOf } from './versions-of.ts';
import type { HeldView } from './with-held.ts';

/** The first rows of an answer get their nuspecs immediately, which is faster. */
const atOnce = 100;
/** Reading so many rows takes less than a millisecond. */
const rowsAtOnce = 250;

/** Characters that are walked over to find out whether a page is unchanged: nobody waits for his turn before that. */
const maxWatched = 1_000_000;

export type ReadDeps = {
  readonly db: Connection;
  /** Runs queries that would block everybody else; an operator's verb has nobody else to block. */
  readonly scans: Scans | undefined;
  readonly sizes: KnownSizes;
  readonly revisions: SqlRevisions;
  readonly nuspecs: Nuspecs;
};

/** Made once: putting the text together takes as long as finding the row. */
const rowByVersion: Readonly<Record<SemVerView, string>> = {
  semver1: rowText('semver1', 'p.version_key = ?'),
  semver2: rowText('semver2', 'p.version_key = ?'),
};
const latestRow = rowText('semver2', 'p.latest_semver2 = 1');

function rowText(view: SemVerView, which: string): string {
  return `SELECT ${rowColumns(view)} FROM packages p ${joins.i} WHERE p.id_key = ? AND ${which}`;
}

/** The packages that a client sees, in SQLite: with held versions among those of some ids, where there are any. */
export function createVersionReads(
  { db: { prepare }, scans, sizes, revisions, nuspecs }: ReadDeps,
  newestSearch: NewestSearch,
  held?: HeldView,
): VersionReads & Pick<CatalogReader, 'watch'> {
  /** `query`, about one id, of what is seen of it. */
  const ofId = (idKey: string, query: Sql): Sql =>
    held?.ids.includes(idKey) ? held.withPackages(query) : query;

  function findRow(idKey: string, query: Sql) {
    const [row] = allRaw<RawRow>(ofId(idKey, query));
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
    if (scans === undefined || ns <= maxMainThreadNs) return allRaw<Row>(sqlWith());
    const options = { isQuick: ns <= maxQuickNs, state: revisions.numbers.all(), from };
    return scans.run(sqlWith(inTime), options) as Promise<Row[]>;
  }

  function anchorOf(query: PackageQuery): readonly SqlValue[] | undefined {
    if (query.after === undefined) return undefined;
    const key = packageKey(query.after.id, query.after.version);
    const isOfQuery = query.id === undefined || query.id.toLowerCase() === key?.idKey;
    const [found] =
      key && isOfQuery
        ? allRaw<SqlValue[]>(ofId(key.idKey, anchorSql(query, key.idKey, key.versionKey)))
        : [];
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
    const rows =
      (held === undefined ? await readInParts(query, from) : undefined) ?? (await readAtOnce(query, from));
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

  function pageOf(columns: string, query: PackageQuery, after: readonly SqlValue[] | undefined, first?: Sql) {
    const idKey = idOf(query)?.toLowerCase();
    return held === undefined || idKey !== undefined
      ? ofId(idKey ?? '', pageSql(columns, query, after, first))
      : pageWithHeldSql(columns, query, held, after, first);
  }

  function countOf(query: PackageQuery, first?: Sql): Sql {
    const idKey = idOf(query)?.toLowerCase();
    return held === undefined || idKey !== undefined
      ? ofId(idKey ?? '', countSql(query, first))
      : countWithHeldSql(query, held, first);
  }

  function readAtOnce(query: PackageQuery, from: string | undefined): RawRow[] | Promise<RawRow[]> {
    const columns = rowColumns(query.view);
    const after = anchorOf(query);
    return ask<RawRow>(query, from, (first) => pageOf(columns, query, after, first));
  }

  /**
   * The keys of the rows first, then some rows after the other, so that a long page does not hold the thread. Undefined for a short page
   * that is not found in memory, and when a package changed meanwhile: the rows would be of two states.
   */
  async function readInParts(
    query: PackageQuery,
    from: string | undefined,
  ): Promise<readonly RawRow[] | undefined> {
    costOf(query);
    const before = revisions.numbers.packages();
    const keys =
      newestSearch.find(query)?.keys ?? (query.take > rowsAtOnce ? await keysOf(query, from) : undefined);
    if (keys === undefined) return undefined;
    const parts: RawRow[][] = [];
    const pause = createPause();
    for (let at = 0; at < keys.length; at += rowsAtOnce) {
      if (pause.isDue()) await pause.take();
      if (revisions.numbers.packages() !== before) return undefined;
      parts.push(rowsOf(keys.slice(at, at + rowsAtOnce), query.view));
    }
    return parts.flat();
  }

  async function keysOf(query: PackageQuery, from: string | undefined): Promise<readonly number[]> {
    const after = anchorOf(query);
    const rows = await ask<[pk: number]>(query, from, (first) => pageSql('p.pk', query, after, first));
    return rows.map(([pk]) => pk);
  }

  function rowsOf(keys: readonly number[], view: SemVerView): RawRow[] {
    const text = `SELECT ${rowColumns(view)} FROM json_each(?) page CROSS JOIN packages p ON p.pk = page.value ${joins.i}
      ORDER BY page.key`;
    return allRaw<RawRow>({ text, values: [JSON.stringify(keys)] });
  }

  async function queryAs(query: PackageQuery, from: string | undefined): Promise<PackageRow[]> {
    for (;;) {
      const found = await queryUnlessPurged(query, from);
      if (found !== undefined) return found;
    }
  }

  async function countAs(query: PackageQuery, from: string | undefined): Promise<number> {
    costOf(query);
    const counted = held === undefined ? newestSearch.find(query, true)?.total : undefined;
    if (counted !== undefined) return counted;
    const all = { ...query, skip: 0, take: Number.POSITIVE_INFINITY };
    const [row] = await ask<[count: number]>(all, from, (first) => countOf(query, first));
    return row?.[0] ?? 0;
  }

  function readerFor(from: string | undefined): CatalogReader {
    return {
      query: (query) => inSpan('catalog query', () => queryAs(query, from)),
      count: (query) => inSpan('catalog count', () => countAs(query, from)),
      watch: held === undefined ? watch : () => undefined,
    };
  }

  function watch(query: PackageQuery, wantsTotal: boolean): Unchanged | undefined {
    // The rows before it belong to the total too.
    if (wantsTotal && query.after !== undefined) return undefined;
    const before = newestSearch.find(query, wantsTotal);
    if (before === undefined || before.walked > maxWatched) return undefined;
    return (what, since) => {
      if (before.idKeys.some((idKey) => revisions.numbers[what](idKey) > since)) return false;
      const now = newestSearch.find(query, wantsTotal);
      return (
        now?.total === before.total &&
        now?.keys.length === before.keys.length &&
        before.keys.every((key, at) => key === now.keys[at])
      );
    };
  }

  return {
    ...readerFor(undefined),
    readerFor,
    versionsOf: (ids, seen, each) => readVersionsOf(prepare, ids, seen, each, held),
    async find(id, version, view = 'semver2') {
      const key = packageKey(id, version);
      return key && findRow(key.idKey, { text: rowByVersion[view], values: [key.idKey, key.versionKey] });
    },
    async findLatest(id) {
      const idKey = id.toLowerCase();
      return findRow(idKey, { text: latestRow, values: [idKey] });
    },
    async findFile(id, version) {
      const key = version === undefined ? undefined : packageKey(id, version);
      if (version !== undefined && key === undefined) return undefined;
      const which = key ? sql`p.version_key = ${key.versionKey}` : raw('p.latest_semver2 = 1');
      const idKey = id.toLowerCase();
      const query = sql`SELECT i.id, p.normalized_version AS normalizedVersion, p.sha256, p.size_bytes AS sizeBytes
        FROM packages p ${raw(joins.i)} WHERE p.id_key = ${idKey} AND ${which}`;
      return get<PackageFile>(ofId(idKey, query));
    },
  };
}
