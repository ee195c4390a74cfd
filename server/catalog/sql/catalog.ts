import type { Actor } from '../../audit/audit.ts';
import { createRecordChange } from '../../audit/sql-record.ts';
import { type Connection, durably } from '../../database/connection.ts';
import { createGroupCommit } from '../../database/group-commit.ts';
import { inTime, type Scans } from '../../database/scans.ts';
import type { Sql } from '../../database/sql.ts';
import { createStatements, type SqlValue } from '../../database/statements.ts';
import { fail } from '../../errors.ts';
import { createPause } from '../../pause.ts';
import type { Catalog, CatalogReader, NewPackage, PackageFile, PackageRow } from '../catalog.ts';
import { costOf } from '../cost.ts';
import { createNuspecs } from '../nuspecs.ts';
import type { PackageQuery, SemVerView } from '../query.ts';
import type { UnreadNuspecs } from '../unread-nuspecs.ts';
import { joins } from './columns.ts';
import { createDownloadCounts } from './downloads.ts';
import { setLatestFlags } from './latest.ts';
import { estimate, longTextOf, maxHereNs, maxQuickNs, readSizes } from './load.ts';
import { keepPendingBlob } from './pending-blobs.ts';
import { nextPk, sameNuspec } from './primary-keys.ts';
import { createPurge, isPurged, queueRemoval } from './purge.ts';
import { anchorSql, countSql, pageSql } from './query.ts';
import { createRevisions } from './revisions.ts';
import {
  type PackageKey,
  packageKey,
  type RawRow,
  rowColumns,
  toColumns,
  toLatePackageRow,
  toPackageRow,
} from './rows.ts';
import { nextUnread, storeNuspec } from './unread-nuspecs.ts';
import { readVersionsOf } from './versions-of.ts';

/** So many rows of an answer have their nuspecs at once, which is quicker. */
const atOnce = 100;

/**
 * The catalog in SQLite. `flush` it before its connection is closed. What would hold up everybody else runs in `scans`,
 * where there are any: a verb of the operator has nobody else.
 */
export function createSqlCatalog(
  db: Connection,
  now: () => Date,
  scans?: Scans,
): Catalog & { readonly unreadNuspecs: UnreadNuspecs } {
  const prepare = createStatements(db);
  const sizes = readSizes(db);
  const revisions = createRevisions(prepare);
  const downloads = createDownloadCounts(db, prepare, revisions);
  const record = createRecordChange(prepare);
  const nuspecs = createNuspecs(
    (pk) =>
      get<{ nuspec: string }>({ text: 'SELECT nuspec FROM nuspecs WHERE pk = ?', values: [pk] })?.nuspec ??
      fail('INTERNAL'),
  );
  const inGroup = createGroupCommit(db);

  const insert = db.transaction((pkg: NewPackage, by: Actor, detail: string | undefined) => {
    const { packages, nuspecs: nuspecColumns } = toColumns(pkg);
    const key = { idKey: pkg.id.toLowerCase(), versionKey: String(packages.version_key) };
    if (pkOf(key) !== undefined) return 'exists';
    if (isPurged(prepare, key)) {
      queueRemoval(prepare, pkg.sha256);
      return 'purged';
    }
    const { changes: newIds } = prepare(
      'INSERT INTO ids (id_key, id) VALUES (?, ?) ON CONFLICT DO NOTHING',
    ).run(key.idKey, pkg.id);
    const pk = nextPk(prepare, key.idKey);
    const nuspecPk =
      sameNuspec(prepare, key.idKey, pk, nuspecColumns.nuspec) ??
      insertInto('nuspecs', { pk, ...nuspecColumns });
    sizes.grow(newIds, nuspecPk === pk ? longTextOf(nuspecColumns) : 0);
    insertInto('packages', { pk, ...packages, nuspec_pk: nuspecPk });
    if (pkg.pendingBytes !== undefined) keepPendingBlob(prepare, pkg.sha256, pkg.pendingBytes);
    setLatestFlags(prepare, key.idKey, pk);
    revisions.bump();
    const { id: subject, version, sha256: digest } = pkg;
    record({ kind: 'package published', subject, version, digest, detail }, by, now());
    return 'added';
  });

  const list = db.transaction((key: PackageKey, isListed: boolean, by: Actor, detail: string | undefined) => {
    const pk = pkOf(key);
    if (pk === undefined) return 'missing';
    const { changes } = prepare(
      'UPDATE packages SET is_listed = ?, last_edited = ? WHERE pk = ? AND is_listed <> ?',
    ).run(Number(isListed), now().getTime(), pk, Number(isListed));
    if (changes === 0) return 'unchanged';
    setLatestFlags(prepare, key.idKey, isListed ? pk : undefined);
    revisions.bump();
    const kind = isListed ? 'package listed again' : 'package unlisted';
    record({ kind, ...nameOf(pk), detail }, by, now());
    return 'changed';
  });

  /** How many there were in this process. */
  let purges = 0;
  const purge = createPurge(prepare, record, now);
  const purgeOne = db.transaction((...of: Parameters<typeof purge>) => {
    const is = purge(...of);
    if (typeof is !== 'string') revisions.bump();
    return is;
  });

  const storeNuspecs = db.transaction((read: Parameters<UnreadNuspecs['store']>[0]) => {
    const changed = read.filter(({ of, nuspec }) => storeNuspec(prepare, of, nuspec));
    if (changed.length > 0) revisions.bump();
    return changed.map(({ of }) => of.id.toLowerCase());
  });

  function pkOf({ idKey, versionKey }: PackageKey): number | undefined {
    const sql = 'SELECT pk FROM packages WHERE id_key = ? AND version_key = ?';
    return get<{ pk: number }>({ text: sql, values: [idKey, versionKey] })?.pk;
  }

  /** As they were published, whatever spelling was asked for. */
  function nameOf(pk: number) {
    const text = `SELECT i.id AS subject, p.version, p.sha256 AS digest FROM packages p ${joins.i} WHERE p.pk = ?`;
    return (
      get<{ subject: string; version: string; digest: string }>({ text, values: [pk] }) ?? fail('INTERNAL')
    );
  }

  function insertInto(table: string, columns: Readonly<Record<string, SqlValue>>): number {
    const names = Object.keys(columns);
    const marks = names.map(() => '?').join(', ');
    const sql = `INSERT INTO ${table} (${names.join(', ')}) VALUES (${marks})`;
    return Number(prepare(sql).run(...Object.values(columns)).lastInsertRowid);
  }

  function findRow(where: string, values: readonly SqlValue[], view: SemVerView) {
    const text = `SELECT ${rowColumns(view)} FROM packages p ${joins.i} WHERE ${where}`;
    const [row] = allRaw<RawRow>({ text, values });
    return row && toPackageRow(row, nuspecs);
  }

  // better-sqlite3 does not know a statement's row type; the SQL beside each call is what vouches for it.
  function get<Row>({ text, values }: Sql): Row | undefined {
    return prepare(text).get(...values) as Row | undefined;
  }
  function allRaw<Row>({ text, values }: Sql): Row[] {
    return prepare(text)
      .raw()
      .all(...values) as Row[];
  }

  /** Here, where that takes no time; beside otherwise. @throws FeedError QUERY_TOO_COSTLY, QUERY_TOO_SLOW, QUERY_BUSY */
  function ask<Row extends unknown[]>(
    query: PackageQuery,
    from: string | undefined,
    sqlWith: (first?: Sql) => Sql,
  ): Row[] | Promise<Row[]> {
    const ns = estimate(query, costOf(query), sizes.now());
    if (scans === undefined || ns <= maxHereNs) return allRaw<Row>(sqlWith());
    const options = { isQuick: ns <= maxQuickNs, state: revisions.packages(), from };
    return scans.run(sqlWith(inTime), options) as Promise<Row[]>;
  }

  function anchorOf(query: PackageQuery): readonly SqlValue[] | undefined {
    if (query.after === undefined) return undefined;
    const key = packageKey(query.after.id, query.after.version);
    const isOfQuery = query.id === undefined || query.id.toLowerCase() === key?.idKey;
    const [found] = key && isOfQuery ? allRaw<SqlValue[]>(anchorSql(query, key.idKey, key.versionKey)) : [];
    return found ?? fail('QUERY_INVALID', { problem: 'its $skiptoken is of no next link of this feed.' });
  }

  /** Undefined when a purge came in between: texts that the rows name may be gone, or be those of another package. */
  async function queryUnlessPurged(
    query: PackageQuery,
    from: string | undefined,
  ): Promise<PackageRow[] | undefined> {
    const before = purges;
    const columns = rowColumns(query.view);
    const after = anchorOf(query);
    const rows = await ask<RawRow>(query, from, (first) => pageSql(columns, query, after, first));
    // Read while the answer is written; the place of its texts may be given again by then.
    const late = { of: (pk: number) => (purges === before ? nuspecs.of(pk) : fail('QUERY_BUSY')) };
    const pause = createPause();
    const found: PackageRow[] = [];
    for (const row of rows) {
      if (purges !== before) break;
      found.push(found.length < atOnce ? toPackageRow(row, nuspecs) : toLatePackageRow(row, late));
      if (pause.isDue()) await pause.take();
    }
    return purges === before ? found : undefined;
  }

  function noteChange<T>(outcome: T, isChange: boolean, id: string): T {
    return revisions.afterCommit(outcome, { what: 'packages', ids: isChange ? [id.toLowerCase()] : [] });
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
    async add(pkg, by, reason) {
      const outcome = await inGroup(() => insert(pkg, by, reason));
      return noteChange(outcome, outcome === 'added', pkg.id);
    },
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
    async setListed(id, version, isListed, by, reason) {
      const key = packageKey(id, version);
      if (key === undefined) return 'missing';
      const outcome = durably(() => list.immediate(key, isListed, by, reason));
      return noteChange(outcome, outcome === 'changed', id);
    },
    async purge(id, version, by, reason) {
      const key = packageKey(id, version);
      if (key === undefined) return 'missing';
      // Counts of it that wait in memory would be lost with the row, those of its neighbours not.
      downloads.flush();
      const is = durably(() => purgeOne.immediate(key, { id, version, detail: reason }, by));
      // What it said is in memory, too, and the place of its row may be given again.
      nuspecs.forget();
      purges += 1;
      return noteChange(is, typeof is !== 'string', id);
    },
    async isPurged(id, version) {
      const key = packageKey(id, version);
      return key !== undefined && isPurged(prepare, key);
    },
    countDownload(id, version) {
      const key = packageKey(id, version);
      if (key) downloads.count(key);
    },
    async flush() {
      downloads.flush();
    },
    revision: (id) => revisions.all(id?.toLowerCase()),
    packagesRevision: (id) => revisions.packages(id?.toLowerCase()),
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
    unreadNuspecs: {
      next: (count) => nextUnread(prepare, count),
      store(read) {
        const ids = durably(() => storeNuspecs.immediate(read));
        nuspecs.forget();
        revisions.afterCommit(undefined, { what: 'packages', ids });
      },
    },
  };
}
