import type { RolloutPlan } from '../../formats/rollout-plan.ts';

/** Interface section 8; `rejected` is how a pending rollout ends that an approver turned down. */
export const rolloutStates = [
  'pending',
  'rolling',
  'halted',
  'completed',
  'rolled-back',
  'superseded',
  'rejected',
] as const;
export type RolloutState = (typeof rolloutStates)[number];

export type Approval = { readonly owner: string; readonly at: number };

/** A version on its way to everybody. Times are milliseconds since 1970. */
export type Rollout = {
  readonly plan: RolloutPlan;
  readonly state: RolloutState;
  /** Since when it is in this state. */
  readonly since: number;
  /** The last step that was begun, counted from 0; -1 before the first. */
  readonly step: number;
  /** How much of this step's hold is over, in ms: it counts while the rollout is rolling and the server runs. */
  readonly held: number;
  /** Until when `held` has been counted. */
  readonly countedTo: number;
  /** Whose key began it: the same person approves nothing. */
  readonly owner: string | undefined;
  readonly approvals: readonly Approval[];
};

const openStates: ReadonlySet<RolloutState> = new Set(['pending', 'rolling', 'halted']);

export function isOpen({ state }: Pick<Rollout, 'state'>): boolean {
  return openStates.has(state);
}

/** Whom steps reach: these rings, and the positions below the percentage. */
export type Reach = { readonly rings: readonly string[]; readonly percent: number };

/** What the steps that were begun reach together. */
export function reachedBy({ plan, step }: Pick<Rollout, 'plan' | 'step'>): Reach {
  const begun = plan.steps.slice(0, step + 1);
  return {
    rings: begun.flatMap((each) => ('ring' in each ? [each.ring] : [])),
    percent: Math.max(0, ...begun.map((each) => ('percent' in each ? each.percent : 0))),
  };
}
