import { afterEach, describe, expect, it } from 'vitest';
import { createFeed, type Feed } from '../../conformance/feed.ts';
import { createJournal, type Journal } from '../../conformance/journal.ts';
import { type Listening, listen } from '../kit/listen.ts';

let server: Listening;
afterEach(() => server.stop());

type Asked = { readonly feed: Feed; readonly journal: Journal; readonly count: () => number };

/** Refuses this many requests with 503 and these headers, then answers. */
async function startBusy(times: number, headers: Record<string, string>): Promise<Asked> {
  let asked = 0;
  server = await listen((_, response) => {
    asked += 1;
    response.writeHead(asked <= times ? 503 : 200, headers).end();
  });
  const journal = createJournal();
  const { signal } = new AbortController();
  const feed = createFeed({ base: `${server.url}/nuget`, timeoutMs: 5_000, signal, journal });
  return { feed, journal, count: () => asked };
}

describe('a feed that is busy', () => {
  it.each(['GET', 'HEAD'])('is asked again with %s when it says after which time', async (method) => {
    const { feed, journal, count } = await startBusy(2, { 'Retry-After': '0' });

    expect((await feed.ask('/Packages()', { method })).status).toBe(200);

    expect(count()).toBe(3);
    expect(journal.has('serverError')).toBe(false);
  });

  it('is asked again by HTTP/1.0, too', async () => {
    const { feed } = await startBusy(1, { 'Retry-After': '0' });

    expect((await feed.askHttp10('/Packages()')).status).toBe(200);
  });

  it.each([
    ['does not say when to ask again', {}],
    ['says a date', { 'Retry-After': 'Wed, 21 Oct 2026 07:28:00 GMT' }],
    ['wants to be left alone for longer than an answer may take', { 'Retry-After': '6' }],
  ])('has failed when it %s', async (_, headers) => {
    const { feed, journal, count } = await startBusy(1, headers);

    expect((await feed.ask('/Packages()')).status).toBe(503);

    expect(count()).toBe(1);
    expect(journal.has('serverError')).toBe(true);
  });

  it('gets nothing pushed twice', async () => {
    const { feed, count } = await startBusy(1, { 'Retry-After': '0' });

    expect((await feed.ask('/', { method: 'PUT' })).status).toBe(503);

    expect(count()).toBe(1);
  });
});
