import { describe, expect, it } from 'vitest';
import { rateRatio, rateValue, tableOf } from '../../bench/results.ts';

describe('a verdict of the benchmark', () => {
  it.each([
    [1, { must: 0.7, aim: 0.9 }, 'aim met'],
    [0.9, { must: 0.7, aim: 0.9 }, 'aim met'],
    [0.8, { must: 0.7, aim: 0.9 }, 'ok'],
    [0.69, { must: 0.7, aim: 0.9 }, 'MISSED'],
    [1, { must: 1 }, 'ok'],
    [0.5, { aim: 0.6 }, 'below aim'],
    [0.5, {}, ''],
  ])('of the ratio %d to %j is "%s"', (ratio, goal, verdict) => {
    expect(rateRatio(ratio, goal).verdict).toBe(verdict);
  });

  it.each([
    [119, { must: 200, aim: 120 }, 'aim met'],
    [200, { must: 200, aim: 120 }, 'ok'],
    [201, { must: 200, aim: 120 }, 'MISSED'],
    [Number.NaN, { must: 200 }, 'MISSED'],
  ])('of %d, where less is better, against %j is "%s"', (value, limit, verdict) => {
    expect(rateValue(value, limit).verdict).toBe(verdict);
  });
});

describe('the table of the benchmark', () => {
  it('has a line for each result, with ratio, goals and verdict or errors', () => {
    const table = tableOf([
      {
        operation: 'push',
        feed: '90/s',
        ratio: 0.876,
        against: 'durable',
        ...rateRatio(0.876, { must: 0.7 }),
      },
      { operation: 'memory', feed: '300 MB', ...rateValue(300, { must: 200, aim: 120 }) },
      { operation: 'read', feed: '1/s', ratio: 2, against: 'bare', errors: 3, ...rateRatio(2, { aim: 1 }) },
    ]);

    expect(table.split('\n')).toEqual([
      'operation    feed  ratio  to       must  aim',
      'push         90/s   0.88  durable   0.7    -  ok',
      'memory     300 MB      -            200  120  MISSED',
      'read          1/s   2.00  bare        -    1  3 ERRORS',
    ]);
  });
});
