import type { Actor } from '../audit/audit.ts';
import type { Alert } from './alerts.ts';
import type { Rollout } from './rollout.ts';
import type { RolloutAction, RolloutRefusal } from './transitions.ts';
import type { RolloutFacts } from './waits.ts';

/** A rollout as it is kept. */
export type StoredRollout = Rollout & {
  readonly id: number;
  readonly tool: string;
  readonly packageId: string;
  readonly version: string;
  /** What positions of clients are made of (position.ts). */
  readonly seed: string;
  /** When its first step began, or when it was started while it is pending: an alert that is older does not concern it. */
  readonly begunAt: number;
  /** The plan in the words in which it was given. */
  readonly writtenPlan: unknown;
};

export type NewRollout = Pick<
  StoredRollout,
  'tool' | 'packageId' | 'version' | 'plan' | 'owner' | 'writtenPlan'
> & { readonly compared?: Compared | undefined };

/** What main offered when a correction was compared with it; whoever decides by that asks again where main offers another. */
export type Compared = { readonly main: string | undefined };

/** Who asks for a change, and why. */
export type RolloutRequest = { readonly by: Actor; readonly reason?: string | undefined };

export type HistoryEntry = {
  readonly at: number;
  /** The name of the key, or `server`. */
  readonly by: string;
  readonly action: string;
  readonly reason?: string;
};

/** An alert that did something to a rollout. */
export type AppliedAlert = Pick<Alert, 'fingerprint' | 'labels' | 'startsAt'> & {
  readonly at: number;
  readonly outcome: 'halted' | 'rolled-back';
};

/** Who sends alerts: they concern the tools that the key is limited to, or all where `ids` is empty. */
export type AlertSender = { readonly by: Actor; readonly ids: readonly string[] };

/** What belongs to a rollout beside its state. */
export type RolloutDetails = {
  readonly facts: RolloutFacts;
  /** Clients: seen at all, reached by the steps so far, admitted, and how many of these have received the version. */
  readonly counts: {
    readonly known: number;
    readonly eligible: number;
    readonly admitted: number;
    readonly received: number;
  };
  /** What replaces the version after a rollback. */
  readonly correction?: string | undefined;
  readonly alerts: readonly AppliedAlert[];
  readonly history: readonly HistoryEntry[];
};

/** The machines that a step was the first to reach: admitted, and how many of these have received the version. */
export type StepCount = { readonly step: number; readonly admitted: number; readonly received: number };

/** How a start ended; with `there` it was started before and goes on. */
export type StartOutcome =
  | { readonly is: 'started' | 'there'; readonly rollout: StoredRollout }
  /** This version has been rolled out before; or a rollout of a higher one is open. */
  | { readonly is: 'ended' | 'lower'; readonly rollout: StoredRollout }
  /** An open rollout gives this version at its rollback. */
  | { readonly is: 'correction'; readonly rollout: StoredRollout }
  | { readonly is: 'alerting'; readonly alert: Pick<Alert, 'labels'> }
  /** Other owners must approve it, and whoever starts it has none. */
  | { readonly is: 'no owner' }
  /** A ring of the plan is not defined, or has no client that was ever seen. */
  | { readonly is: 'unknown ring' | 'empty ring'; readonly ring: string }
  /** Main offers another version than the corrections were compared with. */
  | { readonly is: 'changed' }
  /** The version, or the correction that a rollback needs, is not uploaded and held. */
  | { readonly is: 'not held'; readonly lacks: 'version' | 'correction' }
  /** Clients are offered something that is not lower. */
  | { readonly is: 'not above'; readonly offered: string };

/** The same as far as it does not depend on what is uploaded. */
export type Foreseen = Exclude<StartOutcome, { readonly is: 'changed' }>;

export type ActOutcome = { readonly rollout: StoredRollout; readonly refusal?: RolloutRefusal | undefined };

export type Discarded = {
  readonly tool: string;
  readonly version: string;
  /** Its manifest was found on a branch of the bucket: what was uploaded for it stays. */
  readonly isOnBranch?: boolean;
  /** Whoever asks may not free what can be downloaded already. */
  readonly keepsPayloads?: boolean;
};

/** `version` replaces `corrects` after a rollback. */
export type CorrectionOrder = {
  readonly tool: string;
  readonly version: string;
  readonly corrects: string;
  readonly compared?: Compared | undefined;
};
/**
 * `unfit`: it is not held, or its number is no correction's of that version. `missing`: no rollout needs it. `approved`: other
 * owners have approved the rollout with what was prepared before, and did not see this one. `changed`: main offers another version
 * than it was compared with.
 */
export type CorrectionOutcome = 'taken' | 'unfit' | 'missing' | 'approved' | 'changed';

/**
 * The port to rollouts. Each change is durable when it returns, in one transaction with its history and its audit entry;
 * whether it fits is decided there, by `transitions.ts`, from what is in the database at that moment.
 */
export interface Rollouts {
  /** Newest first. */
  list(tool?: string): Promise<StoredRollout[]>;
  /** Those that have not ended. */
  listOpen(): Promise<readonly StoredRollout[]>;
  find(id: number): Promise<StoredRollout | undefined>;
  /** What main offers of a package: its newest listed stable version. */
  main(packageId: string): Promise<string | undefined>;
  details(rollout: StoredRollout): Promise<RolloutDetails>;
  /** Of the steps that have begun. */
  countSteps(rollout: StoredRollout): Promise<readonly StepCount[]>;
  /**
   * Supersedes the open rollout of a lower version, if there is one, when it begins to roll. Until then it takes the place of
   * one that is pending as well, and no other.
   */
  start(order: NewRollout, request: RolloutRequest): Promise<StartOutcome>;
  /** How a start would end now, as far as that does not depend on what is uploaded; undefined: nothing is in its way. */
  foresee(order: NewRollout): Promise<Foreseen | undefined>;
  /**
   * `seen` is what whoever asks believes it to be: if it has moved on by now, the action is refused. Left out for what must win
   * every race, such as a halt. Undefined: there is no such rollout.
   */
  act(
    id: number,
    action: RolloutAction,
    request: RolloutRequest,
    seen?: Pick<Rollout, 'state' | 'step' | 'since'>,
  ): Promise<ActOutcome | undefined>;
  /**
   * A held version is the correction of one that is open (in place of what was prepared before) or rolled back (then it is given
   * to its clients at once). A beta of one becomes public after a rollback.
   */
  correct(order: CorrectionOrder, request: RolloutRequest): Promise<CorrectionOutcome>;
  /**
   * Takes a held version away, with its manifest and what was uploaded for it, unless a rollout needs it; also payloads alone, where
   * nothing of it was ever public. `pending`: as for
   * `discardHeld`.
   */
  discard(what: Discarded, request: RolloutRequest): Promise<'discarded' | 'needed' | 'missing' | 'pending'>;
  /** Lets time pass for all that are open. Answers with those that changed. */
  tick(): Promise<StoredRollout[]>;
  /**
   * Remembers alerts and the heartbeat, and halts or rolls back what they act on, all in one transaction. Answers with the
   * rollouts that changed.
   */
  takeAlerts(alerts: readonly Alert[], sender: AlertSender): Promise<StoredRollout[]>;
  /**
   * Admits a client to each rolling rollout that it is eligible for. Answers with all open rollouts that it is in, by id.
   * Costs a durable write where it admits, nothing while no rollout is open.
   */
  admit(client: string): Promise<readonly number[]>;
  /** Whether `admit` has nothing to do, nor to wait for, for a client that is in these rollouts. */
  isSettled(client: string, isIn: ReadonlySet<number>): boolean;
  /** The open rollouts that a client is in, durably. Admits it to none and writes nothing. */
  admitted(client: string): Promise<readonly number[]>;
  /** An admitted client has the version now. */
  receive(client: string, rollout: number): Promise<void>;
}
