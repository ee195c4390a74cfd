import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RolloutPlan } from '../../../formats/rollout-plan.ts';
import { admits, isEligible } from '../../../server/rollout/admission.ts';
import { positionOf } from '../../../server/rollout/position.ts';

const plan = RolloutPlan.parse({
  steps: [
    { ring: 'canary', hold: '1h' },
    { percent: 0.07, hold: '1h' },
    { percent: 21.78, hold: '1h' },
    { percent: 21.79, hold: '1h' },
    { percent: 100, hold: '1h' },
  ],
});
const seed = 'delve/1.22.1';

describe('a client of a rollout', () => {
  it.each([
    // pc-0001 stands at 2178: above 21.78 %, which ends at 2177
    [-1, [], false],
    [-1, ['canary'], false],
    [0, [], false],
    [0, ['canary'], true],
    [0, ['office'], false],
    [1, [], false],
    [2, [], false],
    [3, [], true],
    [4, [], true],
    [4, ['canary'], true],
  ])('at step %s in rings %j is eligible: %s', (step, rings, expected) => {
    expect(isEligible({ plan, step, seed }, { id: 'pc-0001', rings })).toBe(expected);
  });

  it('stays eligible at every later step, and at 100 % everybody is', () => {
    const client = fc.record({ id: fc.string(), rings: fc.subarray(['canary', 'office']) });
    fc.assert(
      fc.property(client, fc.integer({ min: -1, max: 3 }), (each, step) => {
        if (isEligible({ plan, step, seed }, each)) {
          expect(isEligible({ plan, step: step + 1, seed }, each)).toBe(true);
        }
        expect(isEligible({ plan, step: 4, seed }, each)).toBe(true);
        expect(isEligible({ plan, step: 1, seed }, { ...each, rings: [] })).toBe(
          positionOf(seed, each.id) < 7,
        );
      }),
    );
  });

  it('is let in only while the rollout rolls', () => {
    const client = { id: 'pc-0001', rings: ['canary'] };
    const isLetIn = (state: 'rolling' | 'halted' | 'pending'): boolean =>
      admits({ plan, step: 0, seed, state }, client);
    expect([isLetIn('rolling'), isLetIn('halted'), isLetIn('pending')]).toEqual([true, false, false]);
  });
});
