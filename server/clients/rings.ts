import type { Actor } from '../audit/audit.ts';

/** Clients that get a rollout together, such as `canary`: all whose id one of the globs fits. */
export type Ring = { readonly name: string; readonly globs: readonly string[] };

/** The port to rings. */
export interface Rings {
  /** By name. */
  list(): Promise<Ring[]>;
  /** Makes the ring, or gives it these globs in place of those that it had; durable when it returns, with its audit entry. */
  set(ring: Ring, by: Actor): Promise<void>;
  /** From its return on the ring has no clients. */
  remove(name: string, by: Actor): Promise<'removed' | 'missing'>;
}
