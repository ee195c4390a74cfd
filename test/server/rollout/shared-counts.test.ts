import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StoredRollout } from '../../../server/rollout/rollouts.ts';
import { shareCounts } from '../../../server/rollout/shared-counts.ts';

const rollout = { id: 1, state: 'rolling', step: 0 } as StoredRollout;

describe('a count of clients', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([
    { clients: 999, keptMs: 0 },
    { clients: 1_000, keptMs: 3_000 },
    { clients: 9_990, keptMs: 29_970 },
    { clients: 1_000_000, keptMs: 30_000 },
  ])('of $clients is kept for $keptMs ms', async ({ clients, keptMs }) => {
    let counts = 0;
    const shared = shareCounts(
      async () => {
        counts += 1;
        return clients;
      },
      (counted) => counted,
    );
    const countsAfter = async (ms: number) => {
      vi.advanceTimersByTime(ms);
      await shared.of(rollout);
      return counts;
    };

    expect(await countsAfter(0)).toBe(1);
    if (keptMs > 0) expect(await countsAfter(keptMs - 1)).toBe(1);
    expect(await countsAfter(1)).toBe(2);
  });
});
