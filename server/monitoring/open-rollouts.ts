import type { Rollouts, StoredRollout } from '../rollout/rollouts.ts';
import { waitingMs, waitOf } from '../rollout/waits.ts';

export type OpenRollout = Pick<StoredRollout, 'id' | 'tool' | 'packageId' | 'version' | 'state'> & {
  /** How many steps have begun. */
  readonly step: number;
  /** For what the next step waits besides its hold, and for how long it has. */
  readonly waitsFor: string;
  readonly waitingSeconds: number;
  readonly clients: Readonly<Record<'known' | 'eligible' | 'admitted' | 'received', number>>;
};

/** What the metrics show of each open rollout. */
export async function readOpenRollouts(
  rollouts: Pick<Rollouts, 'listOpen' | 'details'>,
): Promise<OpenRollout[]> {
  const shown: OpenRollout[] = [];
  for (const rollout of await rollouts.listOpen()) {
    const { facts, counts } = await rollouts.details(rollout);
    const { id, tool, packageId, version, state, step } = rollout;
    const waitsFor = waitOf(rollout, facts) ?? '';
    const waitingSeconds = waitingMs(rollout, facts.now) / 1000;
    const waiting = { waitsFor, waitingSeconds };
    shown.push({ id, tool, packageId, version, state, step: step + 1, ...waiting, clients: counts });
  }
  return shown;
}
