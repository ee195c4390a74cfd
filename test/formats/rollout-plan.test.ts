import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { RolloutPlan } from '../../formats/rollout-plan.ts';

const contractPlan = `
steps:
  - { ring: canary, hold: 4h }
  - { percent: 10, hold: 6h, needs: 20 }
  - { percent: 50, hold: 12h }
window: [Mon-Fri 08:00-17:00 Europe/Berlin]
heartbeat: 15m
match: { service: checkout }
onAlert: rollback
`;

describe('plan of a rollout', () => {
  it('reads the one of the contract', () => {
    const hour = 3_600_000;
    expect(RolloutPlan.parse(parse(contractPlan))).toEqual({
      steps: [
        { ring: 'canary', hold: 4 * hour, needs: 1 },
        { percent: 10, hold: 6 * hour, needs: 20 },
        { percent: 50, hold: 12 * hour, needs: 1 },
      ],
      window: ['Mon-Fri 08:00-17:00 Europe/Berlin'],
      heartbeat: hour / 4,
      match: { service: 'checkout' },
      onAlert: 'rollback',
    });
  });

  it('halts on an alert at any time, unless told otherwise', () => {
    const plan = RolloutPlan.parse({ steps: [{ percent: 0.01, hold: '0s' }] });
    expect(plan).toEqual({ steps: [{ percent: 0.01, hold: 0, needs: 1 }], window: [], onAlert: 'halt' });
  });

  it.each([
    [{}, 'steps'],
    [{ steps: [] }, 'has no step'],
    [{ steps: [{ hold: '1h' }] }, 'steps'],
    [{ steps: [{ ring: 'canary' }] }, 'hold'],
    [{ steps: [{ ring: 'canary', hold: '4 hours' }] }, 'is no time'],
    [{ steps: [{ ring: 'canary', percent: 5, hold: '1h' }] }, 'steps'],
    [{ steps: [{ percent: 0, hold: '1h' }] }, 'is not above 0'],
    [{ steps: [{ percent: 101, hold: '1h' }] }, 'is above 100'],
    [{ steps: [{ percent: 0.001, hold: '1h' }] }, 'more than two decimals'],
    [
      {
        steps: [
          { percent: 50, hold: '1h' },
          { percent: 50, hold: '1h' },
        ],
      },
      'does not grow',
    ],
    [{ steps: [{ percent: 50, hold: '1h' }], match: {} }, 'is empty'],
    [{ steps: [{ percent: 50, hold: '1h' }], window: ['always'] }, 'is no window'],
    [{ steps: [{ percent: 50, hold: '1h' }], heartbeats: '15m' }, 'heartbeats'],
    [{ steps: [{ percent: 50, hold: '1h' }], onAlert: 'ignore' }, 'onAlert'],
  ])('%j is refused: %s', (plan, problem) => {
    const read = RolloutPlan.safeParse(plan);
    expect(read.success).toBe(false);
    expect(JSON.stringify(read.error?.issues)).toContain(problem);
  });
});
