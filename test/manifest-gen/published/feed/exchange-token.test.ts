import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createExchangedKey } from '../../../../manifest-gen/published/feed/exchange-token.ts';
import type { TokenSource } from '../../../../manifest-gen/settings/id-token.ts';
import { createHttp } from '../../../../outbound/http.ts';
import { useListeners } from '../../../kit/listen.ts';

/** Against a feed that gives a key for everything: when a key is got, and when another one. */
describe('a key for the token of a CI job', () => {
  const { serve } = useListeners();
  let dir: string;
  let now: number;
  /** The tokens that the feed was sent. */
  let sent: { token: string; lifetime: string; publisher?: string }[];
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'go-win-tools-token-'));
    [now, sent] = [0, []];
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const feed: RequestListener = async (req, res) => {
    if (req.url?.startsWith('/actions')) {
      const audience = new URL(req.url, 'http://x').searchParams.get('audience');
      res.end(JSON.stringify({ value: `token-${sent.length + 1}.for.${audience}` }));
      return;
    }
    let body = '';
    for await (const part of req) body += String(part);
    sent.push(JSON.parse(body));
    res.writeHead(201);
    res.end(
      JSON.stringify({ key: `key-${sent.length}`, expires: new Date(Date.now() + 3_600_000).toISOString() }),
    );
  };
  async function keyOf(source: (url: string) => TokenSource, listener = feed, publisher?: string) {
    const { url: serverUrl } = await serve(listener);
    const http = createHttp({ userAgent: 'test' });
    const { signal } = new AbortController();
    return createExchangedKey(
      { http, serverUrl, source: source(serverUrl), audience: 'feed', publisher, signal },
      () => now,
    );
  }
  const github = (url: string): TokenSource => ({ kind: 'github', url: `${url}/actions?v=2`, secret: 's' });
  const file = (): TokenSource => ({ kind: 'file', path: join(dir, 'token') });
  const minutes = 60_000;

  it('is got once for all that need it at once', async () => {
    const key = await keyOf(github, feed, 'acme');
    expect(sent).toEqual([]);

    expect(await Promise.all([key(), key(), key()])).toEqual(['key-1', 'key-1', 'key-1']);

    expect(sent).toEqual([{ token: 'token-1.for.feed', lifetime: '1h', publisher: 'acme' }]);
  });

  it('is followed by another one before it ends, where the job can get another token', async () => {
    const key = await keyOf(github);
    await key();

    now = 39 * minutes;
    expect(await key()).toBe('key-1');
    now = 41 * minutes;
    expect(await key()).toBe('key-2');
    expect(sent.map(({ token }) => token)).toEqual(['token-1.for.feed', 'token-2.for.feed']);
  });

  it('is used on where no other one can be got for a moment, and asked for again', async () => {
    let answers = true;
    let asked = 0;
    const key = await keyOf(github, (req, res) => {
      if (req.url?.startsWith('/actions')) asked += 1;
      if (answers) return feed(req, res);
      res.writeHead(403).end('{"title":"not now"}');
    });
    await key();

    answers = false;
    for (now of [41 * minutes, 41.5 * minutes]) expect(await key()).toBe('key-1');
    expect(asked).toBe(2);
    answers = true;
    now = 42 * minutes;
    expect(await key()).toBe('key-2');

    answers = false;
    now = 103 * minutes;
    await expect(key()).rejects.toMatchObject({ code: 'FEED_TOKEN_MISSING' });
  });

  it('is used to its end where the token stays, and then says so', async () => {
    await writeFile(join(dir, 'token'), 'a.b.c\n');
    const key = await keyOf(file);

    for (now of [0, 41 * minutes, 59 * minutes]) expect(await key()).toBe('key-1');
    now = 61 * minutes;
    await expect(key()).rejects.toMatchObject({ code: 'FEED_TOKEN_ENDED' });

    await writeFile(join(dir, 'token'), 'd.e.f');
    expect(await key()).toBe('key-2');
    expect(sent.map(({ token }) => token)).toEqual(['a.b.c', 'd.e.f']);
  });

  it.each<[string, RequestListener, string]>([
    [
      'a feed without trusted publishing',
      (_req, res) => res.writeHead(404).end('not here'),
      'FEED_TOKEN_UNKNOWN',
    ],
    ['an answer that is no key', (_req, res) => res.writeHead(201).end('{"key":1}'), 'FEED_TOKEN_UNKNOWN'],
    [
      'a redirect',
      (_req, res) => res.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
      'FEED_TOKEN_UNKNOWN',
    ],
    [
      'a refusal',
      (_req, res) => res.writeHead(403).end('{"title":"a.b.c is refused."}'),
      'FEED_TOKEN_REFUSED',
    ],
    ['silence', (req) => void req.socket.destroy(), 'FEED_UNREACHABLE'],
  ])('is not got from %s', async (_what, listener, code) => {
    const key = await keyOf(() => ({ kind: 'text', text: 'a.b.c' }), listener);

    const error = (await key().catch((thrown: unknown) => thrown)) as Error;

    expect(error).toMatchObject({ code });
    expect(error.message).not.toContain('a.b.c');
  });
});
