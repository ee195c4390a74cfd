import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientHas } from '../../../server/http/if-none-match.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { sendRaw } from '../../kit/raw-http.ts';
import { adminKey, pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';

describe('If-None-Match', () => {
  it.each([
    [undefined, false],
    ['"other"', false],
    ['tag', false],
    ['"tag"', true],
    ['W/"tag"', true],
    ['"one", W/"tag" ,"two"', true],
    ['*', true],
    ['', false],
  ])('%s against "tag": %s', (header, expected) => {
    const request = { headers: header === undefined ? {} : { 'if-none-match': header } } as IncomingMessage;

    expect(clientHas(request, '"tag"')).toBe(expected);
  });

  it('matches nothing where a response has no ETag', () => {
    expect(clientHas({ headers: { 'if-none-match': '*' } } as IncomingMessage, undefined)).toBe(false);
  });
});

describe('a client that has a response already', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
    await pushNupkg(server, makeNupkg({ id: 'Kept', version: '1.0.0' }), adminKey);
  });
  afterAll(() => server.stop());

  it.each([
    '/nuget/FindPackagesById()?id=%27kept%27',
    '/v3/reg/kept/index.json',
    '/nuget/package/kept/1.0.0',
    '/v3/flat/kept/1.0.0/kept.1.0.0.nupkg',
  ])('gets 304 without a body from %s, whatever its Cache-Control', async (path) => {
    const ask = (...headers: string[]) =>
      sendRaw(
        server.url,
        [`GET ${path} HTTP/1.1`, 'Host: x', ...headers, 'Connection: close', '', ''].join('\r\n'),
      );
    const { etag = '' } = (await ask()).headers;
    expect(etag).not.toBe('');

    for (const more of [
      [],
      ['Cache-Control: no-cache'],
      ['If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT'],
    ]) {
      const answer = await ask(`If-None-Match: "other", W/${etag}`, ...more);
      const { 'content-type': type, etag: again } = answer.headers;
      expect([answer.status, answer.body.toString(), type, again]).toEqual([304, '', undefined, etag]);
    }
  });
});
