import { describe, expect, it } from 'vitest';
import { createLogger } from '../../../server/log.ts';
import { createRolloutRunner } from '../../../server/rollout/runner.ts';
import { until } from '../../kit/until.ts';

describe('the runner of rollouts', () => {
  it('ticks at once and from then on, also after a tick that failed, until it is stopped', async () => {
    let ticks = 0;
    const lines: string[] = [];
    const rollouts = {
      async tick() {
        ticks += 1;
        if (ticks === 2) throw new Error('the disk is full');
        return [];
      },
    };
    const log = createLogger('info', { write: (line) => void lines.push(line) });
    const runner = createRolloutRunner({ rollouts, log }, 1);

    runner.start();
    await until(async () => ticks > 3);
    await runner.stop();
    const last = ticks;
    await new Promise((resolve) => setTimeout(resolve, 20));

    expect(ticks).toBe(last);
    expect(lines.join('')).toContain('rollouts did not go on');
    expect(lines.join('')).toContain('the disk is full');
  });
});
