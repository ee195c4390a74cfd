import { describe, expect, it } from 'vitest';
import { count, longestTickMs } from '../../../server/rollout/hold.ts';

const rolling = { state: 'rolling', held: 0, countedTo: 1_000_000 } as const;

describe('the time that a rollout is held', () => {
  it('is no longer than it took when two servers with different clocks count it in turn', () => {
    for (const skew of [0, 5_000, 15_000, 60_000, 5 * 60_000]) {
      let rollout: Parameters<typeof count>[0] = rolling;
      const seconds = 3_600;
      for (let at = 0; at < seconds; at += 10) {
        for (const clock of [skew, 0]) rollout = count(rollout, rolling.countedTo + at * 1000 + clock);
      }
      expect(rollout.held).toBeLessThanOrEqual(seconds * 1000 + skew);
      expect(rollout.held).toBeGreaterThan((seconds - 60) * 1000);
    }
  });

  it('goes on from a clock that was set back by hours', () => {
    const back = rolling.countedTo - 3 * 3_600_000;
    const after = count(rolling, back);

    expect(after).toEqual({ ...rolling, countedTo: back });
    expect(count(after, back + 10_000).held).toBe(10_000);
  });

  it('counts a gap in which no server ran as one tick', () => {
    expect(count(rolling, rolling.countedTo + 86_400_000).held).toBe(longestTickMs);
  });
});
