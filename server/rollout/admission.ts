import { positionOf } from './position.ts';
import { type Reach, type Rollout, reachedBy } from './rollout.ts';

export type Client = {
  readonly id: string;
  /** The names of the rings whose globs name it. */
  readonly rings: readonly string[];
};

/**
 * Whether the steps that a rollout has begun reach this client (interface section 8): it belongs to one of their rings,
 * or its position lies below their percentage. Positions count in hundredths of a percent.
 */
export function isEligible(
  rollout: Pick<Rollout, 'plan' | 'step'> & { readonly seed: string },
  client: Client,
): boolean {
  return isWithin(reachedBy(rollout), client.rings, () => positionOf(rollout.seed, client.id));
}

/** Whether steps that reach so far reach a client in these rings; its position is asked for only where it decides. */
export function isWithin(
  { rings, percent }: Reach,
  clientRings: readonly string[],
  position: () => number,
): boolean {
  if (rings.some((ring) => clientRings.includes(ring))) return true;
  // 0.07 * 100 is 7.000000000000001: whole hundredths are what was written
  return percent > 0 && position() < Math.round(percent * 100);
}

/** Only a rolling rollout lets clients in: one that is halted keeps those that it has. */
export function admits(
  rollout: Pick<Rollout, 'plan' | 'step' | 'state'> & { readonly seed: string },
  client: Client,
): boolean {
  return rollout.state === 'rolling' && isEligible(rollout, client);
}
