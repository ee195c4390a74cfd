import type { RolloutState } from './rollout.ts';

/** Where a client stands in a rollout that is open, or that was taken back from it. Times are ms since 1970. */
export type InRollout = {
  readonly id: number;
  readonly tool: string;
  readonly version: string;
  readonly state: RolloutState;
  /** 0 to 9999 (position.ts). */
  readonly position: number;
  /** The steps so far reach it: its ring, or its position. */
  readonly isReached: boolean;
  readonly admittedAt?: number | undefined;
  readonly receivedAt?: number | undefined;
};

/** Why a client is offered a version: as everybody, by a rollout, or in place of what a rollback took from it. */
export type OfferReason = 'everybody' | 'rollout' | 'correction';

/** What a client is offered of a tool. */
export type ToolOffer = {
  readonly tool: string;
  readonly packageId: string;
  /** Absent where there is none. */
  readonly version?: string | undefined;
  readonly why: OfferReason;
  /** The rollout that decided it. */
  readonly rollout?: number | undefined;
};

export type Standing = {
  readonly rings: readonly string[];
  readonly rollouts: readonly InRollout[];
  readonly offers: readonly ToolOffer[];
};

/** The port to why a client is offered what it is. Asking admits nobody. */
export interface Standings {
  /** Of this tool alone, or of all that were ever rolled out. `client` is an id of `readClientId`, seen or not. */
  of(client: string, tool?: string): Promise<Standing>;
}
