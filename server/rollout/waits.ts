import { isInside, nextInside, parseTimeWindow, type TimeWindow } from '../../formats/time-window.ts';
import { count } from './hold.ts';
import type { Rollout } from './rollout.ts';

/** What a decision about a rollout depends on, besides the rollout itself. */
export type RolloutFacts = {
  /** ms since 1970, by the clock of whoever decides (with several replicas: the database). */
  readonly now: number;
  /** How many other owners must approve. */
  readonly approvalsNeeded: number;
  /** How many admitted clients have received the version, up to the most that a step needs. */
  readonly received: number;
  /** When the last Watchdog alert came. */
  readonly heartbeat: number | undefined;
  /** Whether it has not begun, and an alert is firing that concerns it: none begins then. */
  readonly isAlerting: boolean;
  /** Whether main offers something by now that a rollback could not give back: nothing was prepared for it. */
  readonly lacksCorrection: boolean;
};

/** Why the next step does not begin now; the first that holds, in this order. */
export const waits = [
  'correction',
  'approvals',
  'alert',
  'resume',
  'hold',
  'evidence',
  'heartbeat',
  'window',
] as const;
export type Wait = (typeof waits)[number];

/** Undefined where nothing is waited for: the next step begins, or the rollout has ended. */
export function waitOf(rollout: Rollout, facts: RolloutFacts): Wait | undefined {
  return checks.find(({ waits }) => waits(rollout, facts))?.wait;
}

const checks: readonly {
  readonly wait: Wait;
  readonly waits: (rollout: Rollout, facts: RolloutFacts) => boolean;
}[] = [
  { wait: 'correction', waits: ({ state }, { lacksCorrection }) => state === 'pending' && lacksCorrection },
  {
    wait: 'approvals',
    waits: (rollout, facts) => isPendingOrRunning(rollout) && lacksApprovals(rollout, facts),
  },
  { wait: 'alert', waits: ({ state }, { isAlerting }) => state === 'pending' && isAlerting },
  { wait: 'resume', waits: ({ state }) => state === 'halted' },
  { wait: 'hold', waits: (rollout) => isRolling(rollout) && holdLeft(rollout) > 0 },
  {
    wait: 'evidence',
    waits: (rollout, { received }) => isRolling(rollout) && received < (currentStep(rollout)?.needs ?? 0),
  },
  { wait: 'heartbeat', waits: (rollout, facts) => isRolling(rollout) && lacksHeartbeat(rollout, facts) },
  { wait: 'window', waits: (rollout, { now }) => isRolling(rollout) && !isInside(windowsOf(rollout), now) },
];

/** When the next step begins at the earliest, as far as hold and window say; undefined where people must act first. */
export function nextStepAt(rollout: Rollout, facts: RolloutFacts): number | undefined {
  if (!isRolling(rollout) || lacksApprovals(rollout, facts)) return undefined;
  // As of now: between two counts the end of a hold would move.
  return nextInside(windowsOf(rollout), facts.now + holdLeft(count(rollout, facts.now)));
}

/** For how many milliseconds an open rollout has waited for more than its hold. */
export function waitingMs(rollout: Rollout, now: number): number {
  if (!isRolling(rollout)) return Math.max(0, now - rollout.since);
  return Math.max(0, rollout.held - (currentStep(rollout)?.hold ?? 0));
}

/** Milliseconds of the current step's hold that are still to pass. */
function holdLeft(rollout: Rollout): number {
  return Math.max(0, (currentStep(rollout)?.hold ?? 0) - rollout.held);
}

export function lacksApprovals({ approvals }: Rollout, { approvalsNeeded }: RolloutFacts): boolean {
  return approvals.length < approvalsNeeded;
}

/** A heartbeat from the future (a clock was set back) counts as none. */
function lacksHeartbeat({ plan }: Rollout, { heartbeat, now }: RolloutFacts): boolean {
  if (plan.heartbeat === undefined) return false;
  return heartbeat === undefined || heartbeat > now || now - heartbeat > plan.heartbeat;
}

function windowsOf({ plan }: Rollout): readonly TimeWindow[] {
  return plan.window.flatMap((text) => parseTimeWindow(text) ?? []);
}

function currentStep({ plan, step }: Rollout): Rollout['plan']['steps'][number] | undefined {
  return plan.steps[step];
}

function isRolling({ state }: Rollout): boolean {
  return state === 'rolling';
}

function isPendingOrRunning({ state }: Rollout): boolean {
  return state === 'pending' || state === 'rolling';
}
