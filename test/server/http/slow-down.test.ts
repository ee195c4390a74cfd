import { describe, expect, it } from 'vitest';
import { createSlowDown } from '../../../server/http/slow-down.ts';

describe('slow-down', () => {
  const limits = { free: 3, stepMs: 100, maxMs: 250, forgetMs: 1000, maxRemembered: 2 };

  it('costs nothing at first, then more with each failure, up to a bound', () => {
    const slowDown = createSlowDown(() => new Date(0), limits);

    const delays = Array.from({ length: 7 }, () => slowDown.failed('a'));

    expect(delays).toEqual([0, 0, 0, 100, 200, 250, 250]);
    expect(slowDown.failed('b')).toBe(0);
  });

  it('forgets who has not failed for a while', () => {
    let time = 0;
    const slowDown = createSlowDown(() => new Date(time), limits);
    for (let count = 0; count < 5; count += 1) {
      slowDown.failed('a');
    }

    time = 1000;

    expect(slowDown.failed('a')).toBe(0);
  });

  it('remembers a bounded number, the latest', () => {
    const slowDown = createSlowDown(() => new Date(0), { ...limits, free: 0 });
    slowDown.failed('a');
    slowDown.failed('b');
    slowDown.failed('c');

    expect(slowDown.failed('c')).toBe(200);
    expect(slowDown.failed('a')).toBe(100);
  });
});
