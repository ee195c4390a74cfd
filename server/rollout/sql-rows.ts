import { RolloutPlan } from '../../formats/rollout-plan.ts';
import type { Prepare } from '../database/statements.ts';
import type { RolloutState } from './rollout.ts';
import type { StoredRollout } from './rollouts.ts';

/** A row of the table `rollouts`. */
export type RawRollout = {
  id: number;
  tool: string;
  package_id: string;
  version: string;
  seed: string;
  plan: string;
  owner: string | null;
  begun_at: number;
  state: RolloutState;
  since: number;
  step: number;
  held: number;
  counted_to: number;
};

/** The plan was valid when its rollout was started. */
export function toRollout(raw: RawRollout, prepare: Prepare): StoredRollout {
  const approvals = prepare(
    'SELECT owner, at FROM rollout_approvals WHERE rollout = ? ORDER BY at, owner',
  ).all(raw.id);
  const writtenPlan: unknown = JSON.parse(raw.plan);
  return {
    id: raw.id,
    tool: raw.tool,
    packageId: raw.package_id,
    version: raw.version,
    seed: raw.seed,
    begunAt: raw.begun_at,
    writtenPlan,
    plan: RolloutPlan.parse(writtenPlan),
    owner: raw.owner ?? undefined,
    state: raw.state,
    since: raw.since,
    step: raw.step,
    held: raw.held,
    countedTo: raw.counted_to,
    approvals: approvals as { owner: string; at: number }[],
  };
}

export function writeState(prepare: Prepare, rollout: StoredRollout): void {
  const { id, state, since, step, held, countedTo, begunAt } = rollout;
  const update = `UPDATE rollouts SET state = ?, since = ?, step = ?, held = ?, counted_to = ?, begun_at = ? WHERE id = ?`;
  prepare(update).run(state, since, step, held, countedTo, begunAt, id);
  for (const { owner, at } of rollout.approvals) {
    prepare('INSERT OR IGNORE INTO rollout_approvals (rollout, owner, at) VALUES (?, ?, ?)').run(
      id,
      owner,
      at,
    );
  }
}
