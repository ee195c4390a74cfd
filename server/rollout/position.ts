import { createHash } from 'node:crypto';

/** Positions are hundredths of a percent. */
export const positions = 10_000;

/**
 * Where a client stands in a rollout, 0 to 9999 (interface section 8): below `percent * 100` it is eligible. The seed is
 * `TOOL/VERSION`, so that another machine is first each time.
 */
export function positionOf(seed: string, clientId: string): number {
  const digest = createHash('sha256').update(`go-win-tools rollout 1\n${seed}\n${clientId}`).digest();
  return Number((digest.readBigUInt64BE(0) * BigInt(positions)) >> 64n);
}
