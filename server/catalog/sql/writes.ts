import type { Actor } from '../../audit/audit.ts';
import type { Connection } from '../../database/connection.ts';
import type { Transaction } from '../../database/transact.ts';
import type { NewPackage, PackageWrites } from '../catalog.ts';
import type { Nuspecs } from '../nuspecs.ts';
import { addGeneration, isNewestGeneration } from './bucket-generations.ts';
import { joins } from './columns.ts';
import { createDownloadCounts } from './downloads.ts';
import { setLatestFlags } from './latest.ts';
import { type KnownSizes, longTextOf } from './load.ts';
import { insertInto, pkOf, placeNewVersion } from './new-version.ts';
import { sameNuspec } from './primary-keys.ts';
import { hasPendingCommits, purgeVersion } from './purge.ts';
import type { SqlRevisions } from './revisions.ts';
import { type PackageKey, packageKey } from './rows.ts';

export type WriteDeps = {
  readonly db: Connection;
  readonly now: () => Date;
  readonly sizes: KnownSizes;
  readonly revisions: SqlRevisions;
  readonly nuspecs: Pick<Nuspecs, 'forgetPurged'>;
};

/** Lists or unlists a version in a transaction of others. */
export type SetListed = (
  change: Transaction,
  id: string,
  version: string,
  isListed: boolean,
  said: { readonly by: Actor; readonly reason?: string | undefined },
) => Awaited<ReturnType<PackageWrites['setListed']>>;

/** Changing packages in SQLite. */
export function createWrites({ db, now, sizes, revisions, nuspecs }: WriteDeps): {
  readonly writes: PackageWrites;
  readonly setListed: SetListed;
} {
  const { prepare, transact } = db;
  const downloads = createDownloadCounts(db, revisions);

  function insert(pkg: NewPackage, by: Actor, detail: string | undefined, change: Transaction) {
    const placed = placeNewVersion(prepare, pkg);
    if (typeof placed === 'string') return placed;
    const { key, pk, newIds, packages, nuspecs: columns } = placed;
    const nuspecPk =
      sameNuspec(prepare, key.idKey, pk, columns.nuspec) ??
      insertInto(prepare, 'nuspecs', { pk, ...columns });
    change.afterCommit(() => sizes.grow(newIds, nuspecPk === pk ? longTextOf(columns) : 0));
    insertInto(prepare, 'packages', { pk, ...packages, nuspec_pk: nuspecPk });
    setLatestFlags(prepare, key.idKey, pk);
    revisions.change(change, [key.idKey]);
    const { id: subject, version, sha256: digest } = pkg;
    change.record({ kind: 'package published', subject, version, digest, detail }, by, now());
    return 'added';
  }

  function list(
    key: PackageKey,
    isListed: boolean,
    by: Actor,
    detail: string | undefined,
    change: Transaction,
  ) {
    const pk = pkOf(prepare, 'packages', key);
    if (pk === undefined) return 'missing';
    const { changes } = prepare(
      'UPDATE packages SET is_listed = ?, last_edited = ? WHERE pk = ? AND is_listed <> ?',
    ).run(Number(isListed), now().getTime(), pk, Number(isListed));
    if (changes === 0) return 'unchanged';
    setLatestFlags(prepare, key.idKey, isListed ? pk : undefined);
    revisions.change(change, [key.idKey]);
    const kind = isListed ? 'package listed again' : 'package unlisted';
    change.record({ kind, ...nameOf(pk), detail }, by, now());
    return 'changed';
  }

  /** As published, whatever spelling was used to ask. */
  function nameOf(pk: number) {
    const sql = `SELECT i.id AS subject, p.version, p.sha256 AS digest FROM packages p ${joins.i} WHERE p.pk = ?`;
    return prepare(sql).get(pk) as { subject: string; version: string; digest: string };
  }

  const setListed: SetListed = (change, id, version, isListed, { by, reason }) => {
    const key = packageKey(id, version);
    return key ? list(key, isListed, by, reason, change) : 'missing';
  };
  return {
    setListed,
    writes: {
      add: (pkg, by, reason) => transact((change) => insert(pkg, by, reason, change)),
      setListed: (id, version, isListed, by, reason) =>
        transact((change) => setListed(change, id, version, isListed, { by, reason })),
      async purge(id, version, by, reason, unoffered) {
        const { seen } = unoffered ?? {};
        const key = packageKey(id, version);
        if (key === undefined) return 'missing';
        // Its counts in memory would be lost with the row; those of other versions must not be.
        await downloads.flush();
        return transact((change) => {
          if (seen !== undefined && !isNewestGeneration(prepare, seen)) return 'overtaken';
          if (unoffered !== undefined && hasPendingCommits(prepare)) return 'unpublished';
          const is = purgeVersion(change, key, { id, version, detail: reason }, by, now());
          // Its nuspec is cached too, and its `pk` may be used again.
          change.afterCommit(nuspecs.forgetPurged);
          if (typeof is === 'string') return is;
          revisions.change(change, [key.idKey]);
          if (seen !== undefined) addGeneration(prepare);
          return is;
        });
      },
      countDownload: downloads.count,
      flush: downloads.flush,
    },
  };
}
