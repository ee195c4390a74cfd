import type { Actor } from '../../audit/audit.ts';
import type { Transaction } from '../../database/transact.ts';
import type { NewPackage } from '../catalog.ts';
import type { HeldVersions } from '../held.ts';
import { forgetLeftover } from './held-manifests.ts';
import { setLatestFlags } from './latest.ts';
import { longTextOf } from './load.ts';
import { insertInto, pkOf, placeNewVersion } from './new-version.ts';
import { discardPayloads, namesOf, queueRemoval, removeUnusedId } from './purge.ts';
import { heldColumns, type PackageKey, packageKey } from './rows.ts';
import type { WriteDeps } from './writes.ts';

type Held = {
  readonly pk: number;
  readonly subject: string;
  readonly version: string;
  readonly digest: string;
};
/** Who changes it, and why. */
export type Said = { readonly by: Actor; readonly reason?: string | undefined };

/** Changes of held versions in a transaction of others, such as that of a rollout. */
export type HeldChanges = {
  publishHeld(change: Transaction, id: string, version: string, said: Said): 'published' | 'missing';
  discardHeld(
    change: Transaction,
    id: string,
    version: string,
    said: Said,
  ): 'discarded' | 'missing' | 'pending';
  /** Whether everybody is offered it, or was. */
  isPublished(change: Transaction, id: string, version: string): boolean;
  /** Those of a held version that is discarded; answers how many. */
  discardPayloads(change: Transaction, tool: string, version: string, said: Said): number;
  /** What clients see of this package changes. */
  touch(change: Transaction, id: string): void;
};

const selectHeld = `SELECT h.pk, i.id AS subject, h.version, h.sha256 AS digest
  FROM held_packages h JOIN ids i USING (id_key) WHERE h.id_key = ? AND h.version_key = ?`;
const selectOtherPackage = `SELECT 1 FROM held_packages WHERE tool = ? AND id_key <> ?
  UNION ALL SELECT 1 FROM rollouts WHERE tool = ? AND lower(package_id) <> ? AND state <> 'rejected'`;
const publish = `INSERT INTO packages (${heldColumns.join(', ')}, is_listed)
  SELECT ${heldColumns.join(', ')}, 1 FROM held_packages WHERE pk = ?`;
const selectTexts = 'SELECT search, authors, owners, dependencies FROM nuspecs WHERE pk = ?';

/** Versions that are held back, in SQLite; `within` changes them as a part of larger changes. */
export function createHeldVersions({ db, now, sizes, revisions, nuspecs }: WriteDeps): {
  readonly versions: Omit<HeldVersions, 'withHeld'>;
  readonly within: HeldChanges;
} {
  const { prepare, transact } = db;

  function hold(change: Transaction, pkg: NewPackage, tool: string, { by, reason: detail }: Said) {
    const idKey = pkg.id.toLowerCase();
    if (prepare(selectOtherPackage).get(tool, idKey, tool, idKey) !== undefined) return 'other package';
    const placed = placeNewVersion(prepare, pkg);
    if (typeof placed === 'string') return placed;
    forgetLeftover(prepare, tool, pkg.version);
    const { key, pk, packages, nuspecs: columns } = placed;
    const { is_listed: _, ...held } = packages;
    insertInto(prepare, 'nuspecs', { pk, ...columns });
    insertInto(prepare, 'held_packages', { pk, ...held, nuspec_pk: pk, tool });
    revisions.change(change, [key.idKey]);
    const { id: subject, version, sha256: digest } = pkg;
    change.record({ kind: 'package held', subject, version, digest, detail }, by, now());
    return 'held';
  }

  function publishHeld(change: Transaction, key: PackageKey, { by, reason: detail }: Said) {
    const found = find(key);
    if (found === undefined) return 'missing';
    const { pk, ...name } = found;
    const at = now();
    prepare('UPDATE held_packages SET published = ?, last_edited = ? WHERE pk = ?').run(
      at.getTime(),
      at.getTime(),
      pk,
    );
    prepare(publish).run(pk);
    prepare('DELETE FROM held_packages WHERE pk = ?').run(pk);
    const texts = prepare(selectTexts).get(pk) as Record<string, unknown>;
    change.afterCommit(() => sizes.grow(0, longTextOf(texts)));
    setLatestFlags(prepare, key.idKey, pk);
    revisions.change(change, [key.idKey]);
    change.record({ kind: 'package published', ...name, detail }, by, at);
    return 'published';
  }

  function discardHeld(change: Transaction, key: PackageKey, { by, reason: detail }: Said) {
    const found = find(key);
    if (found === undefined) return 'missing';
    const { pk, ...name } = found;
    // A row that is deleted there would have its number given again.
    if (prepare('SELECT 1 FROM pending_blobs WHERE sha256 = ?').get(name.digest)) return 'pending';
    prepare('DELETE FROM held_packages WHERE pk = ?').run(pk);
    prepare('DELETE FROM nuspecs WHERE pk = ?').run(pk);
    removeUnusedId(prepare, key.idKey);
    if (namesOf(prepare, name.digest).length === 0) queueRemoval(prepare, name.digest);
    change.afterCommit(nuspecs.forgetPurged);
    revisions.change(change, [key.idKey]);
    change.record({ kind: 'held package discarded', ...name, detail }, by, now());
    return 'discarded';
  }

  const find = ({ idKey, versionKey }: PackageKey) =>
    prepare(selectHeld).get(idKey, versionKey) as Held | undefined;

  const within: HeldChanges = {
    publishHeld(change, id, version, said) {
      const key = packageKey(id, version);
      return key ? publishHeld(change, key, said) : 'missing';
    },
    discardHeld(change, id, version, said) {
      const key = packageKey(id, version);
      return key ? discardHeld(change, key, said) : 'missing';
    },
    isPublished(change, id, version) {
      const key = packageKey(id, version);
      return key !== undefined && pkOf(change.prepare, 'packages', key) !== undefined;
    },
    discardPayloads: (change, tool, version, said) => discardPayloads(change, { tool, version }, said, now()),
    touch: (change, id) => revisions.change(change, [id.toLowerCase()]),
  };
  return {
    within,
    versions: {
      hold: (pkg, by, reason, tool = pkg.id.toLowerCase()) =>
        transact((change) => hold(change, pkg, tool, { by, reason })),
      async listHeld(tool) {
        const sql = `SELECT i.id, h.version, h.sha256 FROM held_packages h JOIN ids i USING (id_key)
          WHERE h.tool = ? ORDER BY h.id_key, h.version_key`;
        return prepare(sql).all(tool) as { id: string; version: string; sha256: string }[];
      },
      async isHeld(id, version) {
        const key = packageKey(id, version);
        return key !== undefined && pkOf(prepare, 'held_packages', key) !== undefined;
      },
      publishHeld: (id, version, by, reason) =>
        transact((change) => within.publishHeld(change, id, version, { by, reason })),
      discardHeld: (id, version, by, reason) =>
        transact((change) => within.discardHeld(change, id, version, { by, reason })),
    },
  };
}
