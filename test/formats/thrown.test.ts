import { got } from 'got';
import { describe, expect, it } from 'vitest';
import { faultOf, inShort, messageOf } from '../../formats/thrown.ts';

describe('inShort', () => {
  it('says for each address of a host why it did not answer, since Node has no message for them together', async () => {
    const addresses = [
      { address: '::1', family: 6 as const },
      { address: '127.0.0.1', family: 4 as const },
    ];
    const dnsLookup = (_host: string, _options: unknown, answer: unknown): void =>
      (answer as (error: null, found: typeof addresses) => void)(null, addresses);

    const error: unknown = await got('http://feed.test:9/', {
      retry: { limit: 0 },
      dnsLookup: dnsLookup as never,
    }).catch((thrown: unknown) => thrown);

    expect(error).toHaveProperty('message', '');
    expect(inShort(error)).toMatch(/^connect \S+ ::1:9.* and connect ECONNREFUSED 127\.0\.0\.1:9$/);
  });

  it.each([
    [new Error('connect ECONNREFUSED 127.0.0.1:9'), 'connect ECONNREFUSED 127.0.0.1:9'],
    [new Error('certificate verify failed:\nerror:1416F086'), 'certificate verify failed'],
    [new Error(''), 'Error'],
    [new AggregateError([]), 'no reason is given'],
    ['', 'no reason is given'],
  ])('%j', (error, said) => expect(inShort(error)).toBe(said));
});

it('messageOf gives all lines', () => expect(messageOf(new Error('one\ntwo'))).toBe('one\ntwo'));

describe('faultOf', () => {
  it("shows messages, stacks and causes, and nothing of an HTTP client's request", async () => {
    const error: unknown = await got('http://user:hunter2@127.0.0.1:9/', {
      headers: { authorization: 'Bearer a-key', 'x-nuget-apikey': 'a-key' },
      retry: { limit: 0 },
      hooks: {
        beforeError: [
          (thrown) => {
            throw Object.assign(new Error('a hook', { cause: thrown }), { options: { key: 'a-key' } });
          },
        ],
      },
    }).catch((thrown: unknown) => new Error('outside', { cause: thrown }));

    const shown = faultOf(error);

    expect(shown).toMatch(/^Error: outside\n {4}at /);
    expect(shown).toContain('Caused by RequestError: a hook');
    expect(shown).not.toMatch(/a-key|hunter2/);
  });

  it('stops at causes that form a circle', () => {
    const error = new Error('round');
    error.cause = error;

    expect(faultOf(error).match(/round/g)?.length).toBeLessThan(20);
  });

  it('shows thrown values that are not errors', () => {
    expect(faultOf('just words')).toBe('just words');
  });
});
