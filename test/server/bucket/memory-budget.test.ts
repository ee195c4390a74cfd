import { describe, expect, it } from 'vitest';
import { createMemoryBudget } from '../../../server/bucket/memory-budget.ts';

const busy = expect.objectContaining({ code: 'GIT_BUSY' });

describe('bytes of requests in memory', () => {
  it('are limited in total, and can be returned', () => {
    const held = createMemoryBudget(100, 100);
    const [one, other] = [held.open(undefined), held.open('203.0.113.1')];
    one.take(60);
    other.take(40);

    expect(() => one.take(1)).toThrow(busy);
    one.giveBack();
    other.take(60);
    expect(() => other.take(1)).toThrow(busy);
  });

  it('are limited for one holder, whatever the others have', () => {
    const held = createMemoryBudget(100, 50);
    const [one, same, other] = ['203.0.113.1', '203.0.113.1', '203.0.113.2'].map((from) => held.open(from));
    one?.take(30);
    same?.take(20);

    expect(() => same?.take(1)).toThrow(busy);
    other?.take(49);
    one?.giveBack();
    one?.giveBack();
    same?.giveBack();
    same?.take(50);
    expect(() => same?.take(1)).toThrow(busy);
  });
});
