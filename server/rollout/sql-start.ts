import { compareVersionTexts } from '../../formats/nuget-version.ts';
import type { Prepare } from '../database/statements.ts';
import type { Transaction } from '../database/transact.ts';
import { isOpen } from './rollout.ts';
import type { Foreseen, NewRollout, RolloutRequest, StartOutcome, StoredRollout } from './rollouts.ts';
import { readRings } from './sql-admissions.ts';
import { isApproved, prepareCorrection } from './sql-correct.ts';
import { correctionsOf, mainOf } from './sql-corrections.ts';
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
  const { compared } = order;
  if (compared !== undefined && compared.main !== mainOf(prepare, packageId)) return { is: 'changed' };
  const foreseen = foresee(prepare, order, options);
  if (foreseen?.is === 'there' && !isApproved(foreseen.rollout, options))
    prepareCorrection(transaction, foreseen.rollout, request, options);
  if (foreseen !== undefined) return foreseen;
  const lacks = options.effects?.lacks(transaction, order, options.approvalsNeeded(order) > 0);
  if (lacks !== undefined) return { is: 'not held', lacks };

  const facts = factsOf(prepare, order, options);
  const first = begun({ plan, owner }, facts);
  supersedeBefore(transaction, { ...first, tool, version }, request, options);
  const insert = `INSERT INTO rollouts
    (tool, package_id, version, seed, plan, owner, begun_at, state, since, step, held, counted_to)
    VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', ?, -1, 0, ?)`;
  // The same machines go first again, where the one before came to no end.
  const [last] = earlierOf(prepare, tool);
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

/** How a start would end, as far as that does not depend on what is uploaded; undefined: nothing is in its way. */
export function foresee(
  prepare: Prepare,
  order: NewRollout,
  options: TransitionOptions,
): Foreseen | undefined {
  const { tool, version, owner } = order;
  // Nobody could tell whether the same person approves it.
  if (owner === undefined && options.approvalsNeeded(order) > 0) return { is: 'no owner' };
  const before = earlierOf(prepare, tool);
  const same = before.find((each) => compareVersionTexts(each.version, version) === 0);
  if (same !== undefined) return { is: isOpen(same) ? 'there' : 'ended', rollout: same };
  const higher = before.find((each) => isOpen(each) && (compareVersionTexts(each.version, version) ?? 0) > 0);
  if (higher !== undefined) return { is: 'lower', rollout: higher };
  const corrected = before.find(
    (each) =>
      isOpen(each) && correctionsOf(prepare, each.id).some((one) => compareVersionTexts(one, version) === 0),
  );
  if (corrected !== undefined) return { is: 'correction', rollout: corrected };
  const alert = firingAlert(prepare, order, options.now().getTime());
  if (alert !== undefined) return { is: 'alerting', alert };
  const offered = options.effects?.notBelow(prepare, order);
  if (offered !== undefined) return { is: 'not above', offered };
  return ringOfNobody(prepare, order);
}

/** Newest first; what was rejected has given nothing to anybody. */
function earlierOf(prepare: Prepare, tool: string): StoredRollout[] {
  const rows = prepare('SELECT * FROM rollouts WHERE tool = ? ORDER BY id DESC').all(tool) as RawRollout[];
  return rows.map((row) => toRollout(row, prepare)).filter(({ state }) => state !== 'rejected');
}

/** A ring of the plan to which no client belongs that was ever seen: its step would reach nobody. */
function ringOfNobody(prepare: Prepare, { plan }: NewRollout): Foreseen | undefined {
  const rings = new Map(readRings(prepare).map(({ name, globs }) => [name, globs]));
  // Globs of clients have no other wildcards than SQLite's, and both sides are in lower case.
  const hasClient = (glob: string): boolean =>
    prepare('SELECT 1 FROM clients WHERE id GLOB ? LIMIT 1').get(glob) !== undefined;
  const ring = plan.steps
    .flatMap((each) => ('ring' in each ? [each.ring] : []))
    .find((name) => !(rings.get(name) ?? []).some(hasClient));
  return ring === undefined ? undefined : { is: rings.has(ring) ? 'empty ring' : 'unknown ring', ring };
}
