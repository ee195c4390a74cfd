import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { positionOf, positions } from '../../../server/rollout/position.ts';

describe('position of a client in a rollout', () => {
  it.each([
    ['delve/1.22.1', 'pc-0001', 2178],
    ['delve/1.22.1', 'pc-0002', 7915],
    ['buf/1.33.0', 'build-agent-7', 6897],
  ])('of %s, %s is the vector of the contract', (seed, id, position) => {
    expect(positionOf(seed, id)).toBe(position);
  });

  it('lies in the range, whatever the texts', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (seed, id) => {
        const position = positionOf(seed, id);
        expect(Number.isInteger(position) && position >= 0 && position < positions).toBe(true);
      }),
    );
  });

  it('spreads 10,000 clients evenly over ten parts', () => {
    const counts = new Array<number>(10).fill(0);
    for (let index = 0; index < 10_000; index += 1) {
      const part = Math.floor(positionOf('delve/1.22.1', `pc-${index}`) / 1000);
      counts[part] = (counts[part] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});
