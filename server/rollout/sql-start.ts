import { compareVersionTexts } from '../../formats/nuget-version.ts';
import type { Transaction } from '../database/transact.ts';
import { isOpen } from './rollout.ts';
import type { NewRollout, RolloutRequest, StartOutcome } from './rollouts.ts';
import { readRings } from './sql-admissions.ts';
import { isApproved, prepareCorrection } from './sql-correct.ts';
import { correctionsOf } from './sql-corrections.ts';
import { type RawRollout, toRollout } from './sql-rows.ts';
import {
  factsOf,
  firingAlert,
  supersedeBefore,
  type TransitionOptions,
  writeTransition,
} from './sql-transition.ts';
import { begun } from './transitions.ts';

/** Begins a rollout, or finds the one that was begun before. */
export function start(
  transaction: Transaction,
  order: NewRollout,
  request: RolloutRequest,
  options: TransitionOptions,
): StartOutcome {
  const { prepare } = transaction;
  const { tool, packageId, version, plan, owner, writtenPlan } = order;
  // Nobody could tell whether the same person approves it.
  if (owner === undefined && options.approvalsNeeded(order) > 0) return { is: 'no owner' };
  const rows = prepare('SELECT * FROM rollouts WHERE tool = ? ORDER BY id DESC').all(tool) as RawRollout[];
  const before = rows.map((row) => toRollout(row, prepare)).filter(({ state }) => state !== 'rejected');
  const same = before.find((each) => compareVersionTexts(each.version, version) === 0);
  if (same !== undefined && isOpen(same)) {
    if (!isApproved(same, options)) prepareCorrection(transaction, same, request, options);
    return { is: 'there', rollout: same };
  }
  if (same !== undefined) return { is: 'ended', rollout: same };
  const higher = before.find((each) => isOpen(each) && (compareVersionTexts(each.version, version) ?? 0) > 0);
  if (higher !== undefined) return { is: 'lower', rollout: higher };
  const corrected = before.find(
    (each) =>
      isOpen(each) && correctionsOf(prepare, each.id).some((one) => compareVersionTexts(one, version) === 0),
  );
  if (corrected !== undefined) return { is: 'correction', rollout: corrected };
  const at = options.now();
  const alert = firingAlert(prepare, order, at.getTime());
  if (alert !== undefined) return { is: 'alerting', alert };
  const ring = emptyRing(transaction, order);
  if (ring !== undefined) return { is: 'empty ring', ring };
  const offered = options.effects?.notBelow(transaction, order);
  if (offered !== undefined) return { is: 'not above', offered };
  const lacks = options.effects?.lacks(transaction, order, options.approvalsNeeded(order) > 0);
  if (lacks !== undefined) return { is: 'not held', lacks };

  const facts = factsOf(prepare, order, options);
  const first = begun({ plan, owner }, facts);
  supersedeBefore(transaction, { ...first, tool, version }, request, options);
  const insert = `INSERT INTO rollouts
    (tool, package_id, version, seed, plan, owner, begun_at, state, since, step, held, counted_to)
    VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', ?, -1, 0, ?)`;
  // The same machines go first again, where the one before came to no end.
  const [last] = before;
  const seed = last === undefined || last.state === 'completed' ? `${tool}/${version}` : last.seed;
  const text = JSON.stringify(writtenPlan);
  const { now } = facts;
  const { lastInsertRowid } = prepare(insert).run(
    ...[tool, packageId, version, seed, text, owner ?? null, now, now, now],
  );
  const id = Number(lastInsertRowid);
  const rollout = { ...first, id, tool, packageId, version, seed, begunAt: now, writtenPlan };
  writeTransition(transaction, rollout, 'start', request, options, 'rollout started');
  prepareCorrection(transaction, rollout, request, options);
  return { is: 'started', rollout };
}

/** A ring of the plan to which no client belongs that was ever seen: its step would reach nobody. */
function emptyRing({ prepare }: Transaction, { plan }: NewRollout): string | undefined {
  const rings = new Map(readRings(prepare).map(({ name, globs }) => [name, globs]));
  // Globs of clients have no other wildcards than SQLite's, and both sides are in lower case.
  const hasClient = (glob: string): boolean =>
    prepare('SELECT 1 FROM clients WHERE id GLOB ? LIMIT 1').get(glob) !== undefined;
  return plan.steps
    .flatMap((each) => ('ring' in each ? [each.ring] : []))
    .find((name) => !(rings.get(name) ?? []).some(hasClient));
}
