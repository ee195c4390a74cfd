import { compareVersionTexts } from '../../formats/nuget-version.ts';
import type { Transaction } from '../database/transact.ts';
import type { CorrectionOrder, CorrectionOutcome, RolloutRequest, StoredRollout } from './rollouts.ts';
import { correctionsOf, mainOf } from './sql-corrections.ts';
import { type RawRollout, toRollout } from './sql-rows.ts';
import { type TransitionOptions, writeHistory } from './sql-transition.ts';
import { isCorrectionOf } from './version-order.ts';

/** At a start: the highest correction that is held, with its entry in the history. */
export function prepareCorrection(
  transaction: Transaction,
  rollout: StoredRollout,
  request: RolloutRequest,
  options: TransitionOptions,
): void {
  const correction = options.effects?.started(transaction, rollout, options.approvalsNeeded(rollout) > 0);
  if (correction !== undefined) writeCorrection(transaction, rollout, correction, request, options);
}

/** What clients get after a rollback is as much a decision as the rollback. */
function writeCorrection(
  transaction: Transaction,
  rollout: StoredRollout,
  version: string,
  { by }: RolloutRequest,
  options: TransitionOptions,
): void {
  const isAgain = rollout.state === 'pending' && rollout.approvals.length > 0;
  const prepared = isAgain ? 'is prepared, so it has to be approved anew' : 'is prepared';
  const given = rollout.state === 'rolled-back' ? 'is given' : prepared;
  writeHistory(transaction, rollout, 'correct', { by, reason: `${version} ${given}` }, options);
}

/** A correction that comes after the start. */
export function correct(
  transaction: Transaction,
  { tool, version, corrects, compared }: CorrectionOrder,
  request: RolloutRequest,
  options: TransitionOptions,
): CorrectionOutcome {
  const sql = `SELECT * FROM rollouts WHERE tool = ? AND state IN ('pending', 'rolling', 'halted', 'rolled-back')`;
  const rows = transaction.prepare(sql).all(tool) as RawRollout[];
  const row = rows.find((one) => compareVersionTexts(one.version, corrects) === 0);
  if (row === undefined) return 'missing';
  const rollout = toRollout(row, transaction.prepare);
  if (compared !== undefined && compared.main !== mainOf(transaction.prepare, rollout.packageId))
    return 'changed';
  const known = correctionsOf(transaction.prepare, rollout.id);
  const isKnown = known.includes(version);
  // Main offers something since then that a rollback could not give: approvers are asked once more.
  const isMissing =
    rollout.state === 'pending' && options.effects?.lacksCorrection(transaction.prepare, rollout) === true;
  if (!isKnown && !isMissing && isApproved(rollout, options)) return 'approved';
  if (options.effects?.corrected(transaction, rollout, version, request) !== true) return 'unfit';
  // A beta waits for the rollback, with its correction.
  const isUsed = rollout.state === 'rolled-back' || isCorrectionOf(version, rollout.version);
  if (isKnown || !isUsed) return 'taken';
  writeCorrection(transaction, rollout, version, request, options);
  if (rollout.state === 'pending')
    transaction.prepare('DELETE FROM rollout_approvals WHERE rollout = ?').run(rollout.id);
  return 'taken';
}

/** Whether others have approved what its clients get, so that nothing may be put in its place (APPROVALS). */
export function isApproved(rollout: StoredRollout, { approvalsNeeded }: TransitionOptions): boolean {
  return approvalsNeeded(rollout) > 0 && (rollout.state !== 'pending' || rollout.approvals.length > 0);
}
