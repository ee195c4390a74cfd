import { isReleaseName } from '../../../formats/tool-name.ts';
import type { Actor, Change } from '../../audit/audit.ts';
import type { PurgeQueue } from '../../blobs/purge-queue.ts';
import type { Connection } from '../../database/connection.ts';
import type { Prepare } from '../../database/statements.ts';
import type { Transaction } from '../../database/transact.ts';
import type { Purged, PurgeRefusal } from '../catalog.ts';
import { setLatestFlags } from './latest.ts';
import { type PackageKey, packageKey } from './rows.ts';

type PackageRef = { pk: number; id: string; version: string; sha256: string; nuspec_pk: number };
type PayloadRef = { tool: string; version: string; file: string; sha256: string };
type Wanted = { readonly id: string; readonly version: string; readonly detail: string | undefined };

/**
 * How far the database's files are cleaned of a version (`is_scrubbed`): not yet, everything except the write-ahead log, or
 * completely.
 */
export const scrubs = { wanted: 0, logLeft: 1, done: 2 } as const;

const selectPackage = `SELECT p.pk, i.id, p.version, p.sha256, p.nuspec_pk
  FROM packages p JOIN ids i USING (id_key) WHERE p.id_key = ? AND p.version_key = ?`;
const selectHeld = `SELECT h.pk, i.id, h.version, h.sha256, h.nuspec_pk
  FROM held_packages h JOIN ids i USING (id_key) WHERE h.id_key = ? AND h.version_key = ?`;
/** What rollouts need that have not ended: their versions, and what replaces these after a rollback. */
const selectRolling = `WITH open AS (SELECT * FROM rollouts WHERE state IN ('pending', 'rolling', 'halted'))
  SELECT tool, package_id, version FROM open
  UNION ALL SELECT o.tool, o.package_id, c.version FROM open o JOIN rollout_corrections c ON c.rollout = o.id`;
const selectNames = `SELECT i.id || ' ' || version AS name FROM packages JOIN ids i USING (id_key) WHERE sha256 = ?
  UNION ALL SELECT i.id || ' ' || version FROM held_packages JOIN ids i USING (id_key) WHERE sha256 = ?
  UNION ALL SELECT 'dl/' || tool || '/' || version || '/' || file FROM payloads WHERE sha256 = ? LIMIT 20`;

export function isPurged(prepare: Prepare, { idKey, versionKey }: PackageKey): boolean {
  return (
    prepare('SELECT 1 FROM purged WHERE id_key = ? AND version_key = ?').get(idKey, versionKey) !== undefined
  );
}

/** Call it in the transaction that refuses a push as too late, since its bytes are stored already. */
export function queueRemoval(prepare: Prepare, sha256: string): void {
  prepare('INSERT INTO purge_queue (sha256) VALUES (?) ON CONFLICT DO NOTHING').run(sha256);
}

/**
 * Removes all rows of a version, of its package and its payloads, notes that the version must never be used again, and queues
 * bytes that nothing names any more. Call it in a transaction. `pending`: a blob of it is still pending in the database, and if
 * its row were deleted its number would be used again. `rolling out`: an open rollout needs it; but what was purged before is purged
 * again, since a restored backup may have it in a rollout.
 */
export function purgeVersion(
  { prepare, record }: Transaction,
  key: PackageKey,
  wanted: Wanted,
  by: Actor,
  at: Date,
): Purged | PurgeRefusal {
  const published = prepare(selectPackage).get(key.idKey, key.versionKey) as PackageRef | undefined;
  const held = prepare(selectHeld).get(key.idKey, key.versionKey) as PackageRef | undefined;
  const found = published ?? held;
  const payloads = payloadsOf(prepare, key);
  const isNew = !isPurged(prepare, key);
  if (isNew && isRollingOut(prepare, key)) return 'rolling out';
  if (found === undefined && payloads.length === 0) {
    return isNew ? 'missing' : { files: [], kept: [] };
  }
  const hashes = [...new Set([found, ...payloads].flatMap((row) => row?.sha256 ?? []))];
  if (hashes.some((sha256) => prepare('SELECT 1 FROM pending_blobs WHERE sha256 = ?').get(sha256))) {
    return 'pending';
  }
  const { detail } = wanted;
  const note = (change: Omit<Change, 'detail'>): void => record({ ...change, detail }, by, at);
  removeHeldManifests(prepare, key);
  removePendingCommits(prepare, key);
  if (found !== undefined) {
    if (held !== undefined) removeHeld(prepare, held);
    if (published !== undefined) removePackage(prepare, key, published);
    removeUnusedId(prepare, key.idKey);
    note({ kind: 'package purged', subject: found.id, version: found.version, digest: found.sha256 });
  }
  for (const { tool, version, file, sha256 } of payloads) {
    prepare('DELETE FROM payloads WHERE tool = ? AND version = ? AND file = ?').run(tool, version, file);
    note({ kind: 'payload purged', subject: tool, version, file, digest: sha256 });
  }
  prepare(`INSERT INTO purged (id_key, version_key, id, version, at, is_scrubbed) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET is_scrubbed = min(is_scrubbed, excluded.is_scrubbed)`).run(
    key.idKey,
    key.versionKey,
    found?.id ?? wanted.id,
    found?.version ?? wanted.version,
    at.getTime(),
    // Of a payload the database only has the name and the hash, which the audit log keeps anyway.
    found === undefined ? scrubs.done : scrubs.wanted,
  );
  const kept = hashes.flatMap((sha256) => {
    const names = namesOf(prepare, sha256);
    if (names.length > 0) return [{ sha256, names }];
    queueRemoval(prepare, sha256);
    return [];
  });
  return {
    files: [...(found === undefined ? [] : [`${found.id} ${found.version}`]), ...payloads.map(nameOf)],
    kept,
  };
}

/** Takes the payloads of a version away that nobody was offered: its number may be used again with others. Answers how many. */
export function discardPayloads(
  { prepare, record }: Transaction,
  { tool, version }: { readonly tool: string; readonly version: string },
  { by, reason: detail }: { readonly by: Actor; readonly reason?: string | undefined },
  at: Date,
): number {
  const sql = 'SELECT tool, version, file, sha256 FROM payloads WHERE tool = ? AND version = ?';
  const found = prepare(sql).all(tool, version) as PayloadRef[];
  for (const { file, sha256 } of found) {
    prepare('DELETE FROM payloads WHERE tool = ? AND version = ? AND file = ?').run(tool, version, file);
    record({ kind: 'payload purged', subject: tool, version, file, digest: sha256, detail }, by, at);
    if (namesOf(prepare, sha256).length === 0) queueRemoval(prepare, sha256);
  }
  return found.length;
}

/** What names these bytes: at most 20 packages, held ones too, and payloads. */
export function namesOf(prepare: Prepare, sha256: string): string[] {
  return prepare(selectNames).pluck().all(sha256, sha256, sha256) as string[];
}

function payloadsOf(prepare: Prepare, { idKey, versionKey }: PackageKey): PayloadRef[] {
  const all = prepare('SELECT tool, version, file, sha256 FROM payloads WHERE tool = ?').all(
    idKey,
  ) as PayloadRef[];
  return all.filter(({ tool, version }) => packageKey(tool, version)?.versionKey === versionKey);
}

function nameOf({ tool, version, file }: PayloadRef): string {
  return `dl/${tool}/${version}/${file}`;
}

function removePackage(prepare: Prepare, { idKey }: PackageKey, { pk, nuspec_pk }: PackageRef): void {
  prepare('DELETE FROM packages WHERE pk = ?').run(pk);
  prepare('DELETE FROM nuspecs WHERE pk = ? AND NOT EXISTS (SELECT 1 FROM packages WHERE nuspec_pk = ?)').run(
    nuspec_pk,
    nuspec_pk,
  );
  setLatestFlags(prepare, idKey);
}

function removeHeld(prepare: Prepare, { pk, nuspec_pk }: PackageRef): void {
  prepare('DELETE FROM held_packages WHERE pk = ?').run(pk);
  prepare('DELETE FROM nuspecs WHERE pk = ?').run(nuspec_pk);
}

/** Of the version itself, and of a tool whose package it is: clients are offered it no more. */
function removeHeldManifests(prepare: Prepare, key: PackageKey): void {
  const rows = prepare('SELECT tool, version, package_id FROM held_manifests').all() as OfRollout[];
  for (const { tool, version } of rows.filter((row) => isVersion(row, key))) {
    prepare('DELETE FROM held_manifests WHERE tool = ? AND version = ?').run(tool, version);
  }
}

/** Releases that git can commit, and has not yet (bucket/publish-commits.ts). */
export function hasPendingCommits(prepare: Prepare): boolean {
  const rows = prepare('SELECT tool, version FROM bucket_work').all() as { tool: string; version: string }[];
  return rows.some(isReleaseName);
}

/** The bucket would offer what is gone. */
function removePendingCommits(prepare: Prepare, key: PackageKey): void {
  const rows = prepare(`SELECT number, tool, version, ifnull(
      (SELECT package_id FROM rollouts r WHERE r.tool = w.tool AND r.version = w.version), tool) AS package_id
    FROM bucket_work w`).all() as (OfRollout & { readonly number: number })[];
  for (const { number } of rows.filter((row) => isVersion(row, key))) {
    prepare('DELETE FROM bucket_work WHERE number = ?').run(number);
  }
}

type OfRollout = { readonly tool: string; readonly package_id: string; readonly version: string };

/** Whether an open rollout has this version, or gives it at its rollback. */
export function isRollingOut(prepare: Prepare, key: PackageKey): boolean {
  return (prepare(selectRolling).all() as OfRollout[]).some((row) => isVersion(row, key));
}

/** By the name of the tool or of its package: both are purged by name. */
function isVersion({ tool, package_id: packageId, version }: OfRollout, key: PackageKey): boolean {
  return (
    [tool, packageId.toLowerCase()].includes(key.idKey) &&
    packageKey(packageId, version)?.versionKey === key.versionKey
  );
}

export function removeUnusedId(prepare: Prepare, idKey: string): void {
  prepare(`DELETE FROM ids WHERE id_key = ? AND NOT EXISTS (SELECT 1 FROM packages WHERE id_key = ?)
    AND NOT EXISTS (SELECT 1 FROM held_packages WHERE id_key = ?)`).run(idKey, idKey, idKey);
}

/** The bytes that a purge left without a name, until they are deleted from the disk. */
export function createSqlPurgeQueue({ prepare, exec, pragma }: Connection): PurgeQueue {
  const hasLess = (than: number): boolean =>
    prepare('SELECT 1 FROM purged WHERE is_scrubbed < ?').get(than) !== undefined;
  const raise = (to: number): void =>
    void prepare('UPDATE purged SET is_scrubbed = ? WHERE is_scrubbed < ?').run(to, to);
  const isNamed = (sha256: string): boolean => namesOf(prepare, sha256).length > 0;

  return {
    list: async () => prepare('SELECT sha256 FROM purge_queue').pluck().all() as string[],
    async removeUnnamed(sha256, remove) {
      // Nothing may come between the question and the call: by now, a push of the same bytes has either named them or protects
      // them.
      const isDone = isNamed(sha256) || (await remove());
      if (isDone) prepare('DELETE FROM purge_queue WHERE sha256 = ?').run(sha256);
      return isDone;
    },
    isScrubbed: async () => !hasLess(scrubs.done),
    async scrub() {
      if (hasLess(scrubs.logLeft)) {
        // Free pages, and free space within pages, still contain what was deleted: only a new file is clean.
        exec('VACUUM');
        // Recorded, because VACUUM blocks everybody: cleaning the log may need many attempts.
        raise(scrubs.logLeft);
      }
      // Does not wait for a running query; it is tried again later.
      const waitMs = Number(pragma('busy_timeout', { simple: true }));
      pragma('busy_timeout = 0');
      try {
        const [left] = pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[];
        if (left?.busy !== 0) return false;
      } finally {
        pragma(`busy_timeout = ${waitMs}`);
      }
      raise(scrubs.done);
      return true;
    },
  };
}
