import type { Prepare } from '../database/statements.ts';
import type { RolloutState } from './rollout.ts';
import type { StoredRollout } from './rollouts.ts';
import { isAbove, isBetaOf, isCorrectionOf } from './version-order.ts';
import { type MainOf, matters, type ViewRollout } from './view-of.ts';

type OfPackage = Pick<StoredRollout, 'tool' | 'packageId' | 'version'>;

/** The newest listed stable version of a package. */
export function mainOf(prepare: Prepare, packageId: string): string | undefined {
  const sql = 'SELECT version FROM packages WHERE id_key = ? AND latest_semver2 = 1';
  return (prepare(sql).get(packageId.toLowerCase()) as { version: string } | undefined)?.version;
}

function heldVersions(prepare: Prepare, { tool, packageId }: OfPackage): string[] {
  const sql = 'SELECT version FROM held_packages WHERE id_key = ? AND tool = ? ORDER BY version_key DESC';
  return (prepare(sql).all(packageId.toLowerCase(), tool) as { version: string }[]).map(
    ({ version }) => version,
  );
}

export function isHeld(prepare: Prepare, release: OfPackage): boolean {
  return heldVersions(prepare, release).some((held) => isSame(held, release.version));
}

/** The package of a held version of a tool. */
export function heldPackageOf(prepare: Prepare, tool: string, version: string): string | undefined {
  const sql = 'SELECT i.id FROM held_packages h JOIN ids i USING (id_key) WHERE h.tool = ? AND h.version = ?';
  return (prepare(sql).get(tool, version) as { id: string } | undefined)?.id;
}

/** The package of a tool, by what is held of it or was rolled out; otherwise it has the same name. */
export function packageOf(prepare: Prepare, tool: string): string {
  const sql = `SELECT i.id FROM held_packages h JOIN ids i USING (id_key) WHERE h.tool = ?
    UNION ALL SELECT package_id FROM rollouts WHERE tool = ? LIMIT 1`;
  return (prepare(sql).get(tool, tool) as { id: string } | undefined)?.id ?? tool;
}

/**
 * Whether a rollout of the tool or of the package is open for a held version, or has clients that see it; the same for
 * corrections and their betas. `main`: what has reached clients of both managers. `except`: a rollout that does not count.
 */
export function isNeeded(
  prepare: Prepare,
  { tool, packageId, version }: OfPackage,
  main: MainOf,
  except?: number,
): boolean {
  const all = readViewRollouts(prepare);
  return all
    .filter((one) => one.id !== except)
    .filter((one) => one.tool === tool || one.packageId.toLowerCase() === packageId.toLowerCase())
    .filter((one) => one.state === 'pending' || matters(one, all, main))
    .some(
      (one) =>
        isSame(one.version, version) ||
        one.corrections.some((correction) => isSame(correction, version) || isBetaOf(version, correction)),
    );
}

function isSame(one: string, other: string): boolean {
  return !isAbove(one, other) && !isAbove(other, one);
}

type Row = { id: number; tool: string; package_id: string; version: string; state: RolloutState };

/** Rollouts that may decide what clients see, or will; of one tool, or of all. */
export function readViewRollouts(prepare: Prepare, tool?: string): ViewRollout[] {
  const where = tool === undefined ? '' : 'AND tool = ?';
  const rows = prepare(`SELECT id, tool, package_id, version, state FROM rollouts
    WHERE state IN ('pending', 'rolling', 'halted', 'superseded', 'rolled-back') ${where} ORDER BY id`).all(
    ...(tool === undefined ? [] : [tool]),
  ) as Row[];
  return rows.map(({ id, tool, package_id: packageId, version, state }) => ({
    ...{ id, tool, packageId, version, state },
    corrections: correctionsOf(prepare, id),
    correctedFor: correctedFor(prepare, id),
  }));
}

/** Whether another rollout than that of `release` has this number as its version, or prepared it as its correction. */
export function isOfOther(
  prepare: Prepare,
  { tool, packageId, version }: OfPackage,
  number: string,
): boolean {
  const sql = `SELECT 1 FROM rollouts WHERE package_id = ? AND version = ?
    UNION ALL SELECT 1 FROM rollout_corrections c JOIN rollouts r ON r.id = c.rollout
      WHERE r.tool = ? AND c.version = ? AND r.version <> ?`;
  return prepare(sql).get(packageId, number, tool, number, version) !== undefined;
}

/** The highest version that is held as a correction of this one, and belongs to no other rollout. */
export function heldCorrection(
  prepare: Prepare,
  release: OfPackage,
  isApproved: boolean,
): string | undefined {
  const { tool, version } = release;
  // What others approve was compared with what main offers when it was uploaded as a correction (api/held.ts).
  const corrects = 'SELECT 1 FROM held_manifests WHERE tool = ? AND version = ? AND corrects IS NOT NULL';
  return heldVersions(prepare, release).find(
    (held) =>
      isCorrectionOf(held, version) &&
      (!isApproved || prepare(corrects).get(tool, held) !== undefined) &&
      !isOfOther(prepare, release, held),
  );
}

/** The betas of a version that are held with it. */
export function heldBetas(prepare: Prepare, release: OfPackage): string[] {
  return heldVersions(prepare, release).filter((held) => isBetaOf(held, release.version));
}

/** The betas of a version that clients of the beta channel see. */
export function listedBetas(
  prepare: Prepare,
  { packageId, version }: Pick<OfPackage, 'packageId' | 'version'>,
): string[] {
  const sql = 'SELECT version FROM packages WHERE id_key = ? AND is_prerelease = 1 AND is_listed = 1';
  const rows = prepare(sql).all(packageId.toLowerCase()) as { version: string }[];
  return rows.map((row) => row.version).filter((beta) => isBetaOf(beta, version));
}

/** What replaces a rollout's version after a rollback, oldest first. */
export function correctionsOf(prepare: Prepare, rollout: number): string[] {
  const sql = 'SELECT version FROM rollout_corrections WHERE rollout = ? ORDER BY number';
  return (prepare(sql).all(rollout) as { version: string }[]).map(({ version }) => version);
}

/** The corrections that clients of a tool got at rollbacks. */
export function grantedCorrections(prepare: Prepare, tool: string): string[] {
  const sql = `SELECT c.version FROM rollout_corrections c JOIN rollouts r ON r.id = c.rollout
    WHERE r.tool = ? AND r.state = 'rolled-back'`;
  return (prepare(sql).all(tool) as { version: string }[]).map(({ version }) => version);
}

/** @param main what main offers when it is added; by APPROVALS its files were compared with that (api/held.ts) */
export function addCorrection(
  prepare: Prepare,
  rollout: number,
  version: string,
  main: string | undefined,
): void {
  const sql = `INSERT INTO rollout_corrections (rollout, number, version, main)
    SELECT ?, coalesce(max(number), 0) + 1, ?, ? FROM rollout_corrections WHERE rollout = ?`;
  prepare(sql).run(rollout, version, main ?? null, rollout);
}

/** Whether main offers something, and nothing was prepared since. Where that was not recorded (an older database), what is prepared counts. */
export function lacksCorrection(
  prepare: Prepare,
  { id, packageId }: Pick<StoredRollout, 'id' | 'packageId'>,
): boolean {
  const main = mainOf(prepare, packageId);
  if (main === undefined) return false;
  const sql = 'SELECT main FROM rollout_corrections WHERE rollout = ? ORDER BY number DESC LIMIT 1';
  const prepared = prepare(sql).get(id) as { main: string | null } | undefined;
  return prepared === undefined || (prepared.main !== null && prepared.main !== main);
}

export function forgetCorrection(prepare: Prepare, rollout: number, version: string): void {
  prepare('DELETE FROM rollout_corrections WHERE rollout = ? AND version = ?').run(rollout, version);
}

/** The rollouts whose clients get the corrections of one that was rolled back. */
export function correctedFor(prepare: Prepare, rollout: number): number[] {
  const sql = 'SELECT others FROM rollout_corrected WHERE rollout = ? ORDER BY others';
  return (prepare(sql).all(rollout) as { others: number }[]).map(({ others }) => others);
}

/**
 * At a rollback: its own clients, and those of superseded rollouts that are offered something above main, get the corrections.
 * It is kept, since main may rise to something between the two later.
 */
export function noteCorrected(
  prepare: Prepare,
  { id, packageId, tool }: Pick<StoredRollout, 'id' | 'packageId' | 'tool'>,
): void {
  const main = mainOf(prepare, packageId);
  const sql = `SELECT id, version FROM rollouts WHERE tool = ? AND id < ? AND state = 'superseded'`;
  const superseded = prepare(sql).all(tool, id) as { id: number; version: string }[];
  const others = superseded.filter(({ version }) => isAbove(version, main)).map((row) => row.id);
  for (const other of [id, ...others]) {
    prepare('INSERT INTO rollout_corrected (rollout, others) VALUES (?, ?)').run(id, other);
  }
}
