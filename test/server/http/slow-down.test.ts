import { describe, expect, it } from 'vitest';
import { createSlowDown } from '../../../server/http/slow-down.ts';

describe('slow-down', () => {
  const limits = { free: 3, freeOfAddress: 10, stepMs: 100, maxMs: 250, forgetMs: 1000, maxRemembered: 100 };
  const from = '10.0.0.1';
  const repeat = (times: number, failed: (n: number) => number): number[] =>
    Array.from({ length: times }, (_one, n) => failed(n));

  it('costs nothing at first, then more with each failure, up to a bound', () => {
    const slowDown = createSlowDown(() => new Date(0), limits);

    const delays = repeat(7, () => slowDown.failed({ from, shown: 'a' }));

    expect(delays).toEqual([0, 0, 0, 100, 200, 250, 250]);
  });

  it('is about what was shown and the address together', () => {
    const slowDown = createSlowDown(() => new Date(0), limits);
    repeat(7, () => slowDown.failed({ from, shown: 'a' }));

    expect(slowDown.failed({ from, shown: 'b' })).toBe(0);
    expect(slowDown.failed({ from: '10.0.0.2', shown: 'a' })).toBe(0);
    expect(slowDown.failed({ from, shown: 'a' })).toBe(250);
  });

  it('is about the address alone once it shows many different ones', () => {
    const slowDown = createSlowDown(() => new Date(0), limits);

    const delays = repeat(13, (n) => slowDown.failed({ from, shown: `guess ${n}` }));

    expect(delays).toEqual([...repeat(10, () => 0), 100, 200, 250]);
    expect(slowDown.failed({ from: '10.0.0.2', shown: 'guess 0' })).toBe(0);
  });

  it('takes an IPv6 network of 64 bits for one address', () => {
    const slowDown = createSlowDown(() => new Date(0), limits);

    const delays = repeat(13, (n) => slowDown.failed({ from: `2001:db8::${n}`, shown: `guess ${n}` }));

    expect(delays).toEqual([...repeat(10, () => 0), 100, 200, 250]);
    expect(slowDown.failed({ from: '2001:db8:0:1::1', shown: 'guess' })).toBe(0);
  });

  it('forgives the ten tries of choco with a wrong password, twice in a minute', () => {
    const slowDown = createSlowDown(() => new Date(0));

    expect(repeat(20, () => slowDown.failed({ from, shown: 'user' }))).toEqual(repeat(20, () => 0));
  });

  it('forgets who has not failed for a while', () => {
    let time = 0;
    const slowDown = createSlowDown(() => new Date(time), limits);
    repeat(5, () => slowDown.failed({ from, shown: 'a' }));

    time = 1000;

    expect(slowDown.failed({ from, shown: 'a' })).toBe(0);
  });

  it('remembers a bounded number, the latest', () => {
    const slowDown = createSlowDown(() => new Date(0), { ...limits, free: 0, maxRemembered: 3 });
    for (const shown of ['a', 'b', 'c']) slowDown.failed({ from, shown });

    expect(slowDown.failed({ from, shown: 'c' })).toBe(200);
    expect(slowDown.failed({ from, shown: 'a' })).toBe(100);
  });
});
