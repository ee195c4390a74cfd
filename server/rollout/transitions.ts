import { count } from './hold.ts';
import { type Approval, isOpen, type Rollout, type RolloutState } from './rollout.ts';
import { lacksApprovals, type RolloutFacts, waitOf } from './waits.ts';

/** What may happen to a rollout. `tick` is the passing of time, `alert` a firing alert that concerns it. */
export type RolloutAction =
  | {
      readonly kind: 'tick' | 'advance' | 'halt' | 'resume' | 'complete' | 'rollback' | 'supersede' | 'alert';
    }
  | { readonly kind: 'approve' | 'reject'; readonly owner: string | undefined };

/** Why an action does not fit: the state, what was done since it was seen, the approvals that are missing, or who asks. */
export type RolloutRefusal = 'state' | 'moved' | 'approvals' | 'no-owner' | 'same-owner';

/** The rollout after the action, or why it is refused. */
export function act(rollout: Rollout, action: RolloutAction, facts: RolloutFacts): Rollout | RolloutRefusal {
  const counted = count(rollout, facts.now);
  switch (action.kind) {
    case 'tick':
      return tick(counted, facts);
    case 'advance':
      return change(counted, ['rolling'], (now) => begin(now, facts.now), facts);
    case 'complete':
      return change(counted, ['rolling'], (now) => enter(now, 'completed', facts.now), facts);
    case 'resume':
      return change(counted, ['halted'], (now) => enter(now, 'rolling', facts.now), facts);
    case 'halt':
      return change(counted, ['rolling'], (now) => enter(now, 'halted', facts.now));
    case 'rollback':
      return change(counted, ['rolling', 'halted'], (now) => enter(now, 'rolled-back', facts.now));
    case 'supersede':
      return change(counted, ['pending', 'rolling', 'halted'], (now) => enter(now, 'superseded', facts.now));
    case 'reject':
      if (action.owner === undefined) return 'no-owner';
      if (action.owner.toLowerCase() === counted.owner?.toLowerCase()) return 'same-owner';
      return change(counted, ['pending'], (now) => enter(now, 'rejected', facts.now));
    case 'approve':
      return approve(counted, action.owner, facts);
    case 'alert':
      return alert(counted, facts);
  }
}

/** A rollout as it begins: pending while approvals are missing, else at once with its first step where nothing is waited for. */
export function begun({ plan, owner }: Pick<Rollout, 'plan' | 'owner'>, facts: RolloutFacts): Rollout {
  const { now } = facts;
  const pending = { plan, owner, state: 'pending', since: now, step: -1, held: 0, countedTo: now } as const;
  return tick({ ...pending, approvals: [] }, facts);
}

/** At most one step for each tick: its evidence can only come from clients that it reached. */
function tick(rollout: Rollout, facts: RolloutFacts): Rollout {
  if (!isOpen(rollout) || waitOf(rollout, facts) !== undefined) return rollout;
  if (rollout.state === 'pending') return tick(enter(rollout, 'rolling', facts.now), facts);
  return begin(rollout, facts.now);
}

/** The next step; after the last one everybody has it. */
function begin(rollout: Rollout, now: number): Rollout {
  const step = rollout.step + 1;
  if (step >= rollout.plan.steps.length) return enter(rollout, 'completed', now);
  return { ...rollout, step, held: 0, countedTo: now };
}

function enter(rollout: Rollout, state: RolloutState, now: number): Rollout {
  return { ...rollout, state, since: now, countedTo: now };
}

/** With `facts`, it makes the version more widely visible, and needs the approvals. */
function change(
  rollout: Rollout,
  from: readonly RolloutState[],
  to: (rollout: Rollout) => Rollout,
  facts?: RolloutFacts,
): Rollout | RolloutRefusal {
  if (!from.includes(rollout.state)) return 'state';
  if (facts !== undefined && lacksApprovals(rollout, facts)) return 'approvals';
  return to(rollout);
}

/** One person is one owner, however many keys are theirs and in whichever case their names; whoever began it approves nothing. */
function approve(rollout: Rollout, owner: string | undefined, facts: RolloutFacts): Rollout | RolloutRefusal {
  if (!isOpen(rollout)) return 'state';
  if (owner === undefined) return 'no-owner';
  const others = [rollout.owner, ...rollout.approvals.map((each) => each.owner)];
  if (others.some((other) => other?.toLowerCase() === owner.toLowerCase())) return 'same-owner';
  const approval: Approval = { owner, at: facts.now };
  return tick({ ...rollout, approvals: [...rollout.approvals, approval] }, facts);
}

/** An alert that races another action finds what that one left: on a rollout that has ended it changes nothing. */
function alert(rollout: Rollout, { now }: RolloutFacts): Rollout {
  const isRollback = rollout.plan.onAlert === 'rollback';
  if (rollout.state === 'rolling') return enter(rollout, isRollback ? 'rolled-back' : 'halted', now);
  if (rollout.state === 'halted' && isRollback) return enter(rollout, 'rolled-back', now);
  return rollout;
}
