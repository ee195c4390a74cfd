import { describe, expect, it } from 'vitest';
import { readCredentials } from '../../../server/http/credentials.ts';
import { createGuessThrottle } from '../../../server/http/guess-throttle.ts';
import { readRecording } from '../../wire/recording.ts';

describe('the delay of guesses', () => {
  const limits = { free: 3, freeOfAddress: 10, stepMs: 100, maxMs: 250, forgetMs: 1000, maxRemembered: 100 };
  const from = '10.0.0.1';
  const user = 'somebody';
  const repeat = (times: number, failed: (n: number) => number): number[] =>
    Array.from({ length: times }, (_one, n) => failed(n));

  it('is zero at first, then grows with each guess, up to a limit', () => {
    const slowDown = createGuessThrottle(() => new Date(0), limits);

    const delays = repeat(7, (n) => slowDown.failed({ from, user, secret: `guess ${n}` }));

    expect(delays).toEqual([0, 0, 0, 100, 200, 250, 250]);
  });

  it('counts the same user and secret once, however often they come', () => {
    const slowDown = createGuessThrottle(() => new Date(0), limits);

    const delays = repeat(50, () => slowDown.failed({ from, user, secret: 'old' }));

    expect(delays).toEqual(repeat(50, () => 0));
    expect(repeat(3, (n) => slowDown.failed({ from, user, secret: `guess ${n}` }))).toEqual([0, 0, 100]);
  });

  it('counts a secret again with another user, and keeps the boundary between both', () => {
    const slowDown = createGuessThrottle(() => new Date(0), { ...limits, freeOfAddress: 0 });

    expect(slowDown.failed({ from, user: 'a', secret: 'bc' })).toBe(100);
    expect(slowDown.failed({ from, user: 'ab', secret: 'c' })).toBe(200);
    expect(slowDown.failed({ from, user: 'a', secret: 'bc' })).toBe(200);
  });

  it('applies to the user and the address together', () => {
    const slowDown = createGuessThrottle(() => new Date(0), limits);
    repeat(7, (n) => slowDown.failed({ from, user, secret: `guess ${n}` }));

    expect(slowDown.failed({ from, user: 'another', secret: 'x' })).toBe(0);
    expect(slowDown.failed({ from: '10.0.0.2', user, secret: 'guess 6' })).toBe(0);
    expect(slowDown.failed({ from, user, secret: 'x' })).toBe(250);
  });

  it('distinguishes secrets without a user', () => {
    const slowDown = createGuessThrottle(() => new Date(0), limits);

    expect(repeat(10, (n) => slowDown.failed({ from, user: '', secret: `key ${n}` }))).toEqual(
      repeat(10, () => 0),
    );
    expect(slowDown.failed({ from, user: '', secret: 'key 10' })).toBe(100);
  });

  it('applies to the address alone once it sends many different ones', () => {
    const slowDown = createGuessThrottle(() => new Date(0), limits);

    const delays = repeat(13, (n) => slowDown.failed({ from, user: `user ${n}`, secret: 'guess' }));

    expect(delays).toEqual([...repeat(10, () => 0), 100, 200, 250]);
    expect(slowDown.failed({ from: '10.0.0.2', user: 'user 0', secret: 'guess' })).toBe(0);
  });

  it('treats an IPv6 network of 64 bits as one address', () => {
    const slowDown = createGuessThrottle(() => new Date(0), limits);

    const delays = repeat(13, (n) =>
      slowDown.failed({ from: `2001:db8::${n}`, user: `user ${n}`, secret: 'guess' }),
    );

    expect(delays).toEqual([...repeat(10, () => 0), 100, 200, 250]);
    expect(slowDown.failed({ from: '2001:db8:0:1::1', user, secret: 'guess' })).toBe(0);
  });

  it('forgets an address without failures for a while', () => {
    let time = 0;
    const slowDown = createGuessThrottle(() => new Date(time), limits);
    repeat(5, (n) => slowDown.failed({ from, user, secret: `guess ${n}` }));

    time = 1000;

    expect(slowDown.failed({ from, user, secret: 'guess 4' })).toBe(0);
  });

  it('remembers a bounded number, the latest', () => {
    // Of each guess: itself, its user, and the address.
    const slowDown = createGuessThrottle(() => new Date(0), { ...limits, free: 0, maxRemembered: 7 });
    for (const name of ['a', 'b', 'c']) slowDown.failed({ from, user: name, secret: 'guess' });

    expect(slowDown.failed({ from, user: 'c', secret: 'another guess' })).toBe(200);
    expect(slowDown.failed({ from, user: 'a', secret: 'another guess' })).toBe(100);
  });
});

/** The commands of a recording that end without having found a key that is good. */
function refusedCommands(name: string): readonly (readonly [command: string, authorizations: string[]])[] {
  return readRecording(name).flatMap(({ command, requests }) => {
    const shown = requests.filter(({ headers }) => headers.Authorization !== undefined);
    const isRefused = shown.length > 0 && shown.every(({ answered }) => answered === 401);
    const authorizations = shown.flatMap(({ headers, times = 1 }) =>
      Array<string>(times).fill(headers.Authorization ?? ''),
    );
    return isRefused ? [[command, authorizations] as const] : [];
  });
}

describe.each(['choco-2.7.3', 'nuget-6.13', 'nuget-protocol', 'dotnet-10', 'psresourceget'])(
  'the attempts of %s',
  (name) => {
    const wrong = `Basic ${btoa('anyuser:wrongpw')}`;
    const commands = refusedCommands(name);

    it('are more than none', () => expect(commands.length).toBeGreaterThan(1));

    it.each(commands)('are not delayed, ten commands in a row: %s', (_command, authorizations) => {
      const slowDown = createGuessThrottle(() => new Date(0));

      const delays = Array(10)
        .fill(authorizations)
        .flat()
        .flatMap((recorded: string) => {
          const authorization = /^Basic (\.\.\.|CREDENTIALS)$/.test(recorded) ? wrong : recorded;
          return readCredentials({ authorization }).map(({ user, readings: [secret = ''] }) =>
            slowDown.failed({ from: '10.0.0.1', user, secret }),
          );
        });

      expect(delays).toEqual(delays.map(() => 0));
      // `Basic Og==` is no credential.
      expect(delays.length > 0).toBe(!authorizations.includes('Basic Og=='));
    });
  },
);
