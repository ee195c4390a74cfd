import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNupkg } from '../kit/nupkg.ts';
import { sendRaw } from '../kit/raw-http.ts';
import { pushNupkg, startTestServer, type TestServer } from '../kit/test-server.ts';

/** What a proxy in front might take for a body, and we for a request of its own. */
const hidden = 'GET /nuget/package/sample/1.0.0 HTTP/1.1\r\nHost: FEED\r\nConnection: close\r\n\r\n';
const post = 'POST /nuget/package/none/1.0.0 HTTP/1.1\r\nHost: FEED\r\n';
const chunk = `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`;

describe('a request that two servers would read differently', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
    expect((await pushNupkg(server, makeNupkg(), server.adminKey)).status).toBe(201);
  });
  afterAll(() => server.stop());

  it.each([
    [
      'a length and chunks',
      `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
    ],
    [
      'chunks and a length',
      `${post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${hidden}`,
    ],
    ['two lengths', `${post}Content-Length: 0\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`],
    ['the same length twice', `${post}Content-Length: 0\r\nContent-Length: 0\r\n\r\n${hidden}`],
    ['a list of lengths', `${post}Content-Length: 0, ${hidden.length}\r\n\r\n${hidden}`],
    ['a signed length', `${post}Content-Length: +0\r\n\r\n${hidden}`],
    ['a negative length', `${post}Content-Length: -1\r\n\r\n${hidden}`],
    ['a hexadecimal length', `${post}Content-Length: 0x0\r\n\r\n${hidden}`],
    ['a length beyond 2^64', `${post}Content-Length: 18446744073709551616\r\n\r\n${hidden}`],
    ['an unknown encoding', `${post}Transfer-Encoding: xchunked\r\n\r\n${hidden}`],
    ['an encoding after chunked', `${post}Transfer-Encoding: chunked, identity\r\n\r\n${chunk}`],
    ['a blank before the colon', `${post}Transfer-Encoding : chunked\r\n\r\n${chunk}`],
    [
      'a header that goes on in the next line',
      `${post}Transfer-Encoding:\r\n chunked\r\nContent-Length: 1\r\n\r\n${chunk}`,
    ],
    ['a header without a colon', `${post}Content-Length 0\r\n\r\n${hidden}`],
    ['a NUL in a header', `${post}X: a\0b\r\n\r\n${hidden}`],
    ['a line end of LF alone in a header', `${post}X: a\nContent-Length: 5\r\n\r\n${hidden}`],
    ['a line end of CR alone in a header', `${post}X: a\rContent-Length: 5\r\n\r\n${hidden}`],
    ['a chunk of negative size', `${post}Transfer-Encoding: chunked\r\n\r\n-1\r\n${hidden}`],
    ['a chunk beyond 2^64', `${post}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n${hidden}`],
    ['a chunk longer than it says', `${post}Transfer-Encoding: chunked\r\n\r\n1\r\n${hidden}\r\n0\r\n\r\n`],
    ['a chunk with a size of blanks', `${post}Transfer-Encoding: chunked\r\n\r\n  \r\n${hidden}`],
    ['no host', `GET /nuget HTTP/1.1\r\n\r\n${hidden}`],
    ['another protocol', `GET /nuget HTTP/9.9\r\nHost: FEED\r\n\r\n${hidden}`],
    ['HTTP/0.9', `GET /nuget\r\n${hidden}`],
    ['a blank in its target', `GET /nuget x HTTP/1.1\r\nHost: FEED\r\n\r\n${hidden}`],
    ['a method that is none', `GE T /nuget HTTP/1.1\r\nHost: FEED\r\n\r\n${hidden}`],
    ['HTTP/2 from the start', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${hidden}`],
  ])('is refused, and the hidden request is not read: %s', async (_what, bytes) => {
    const { status, body } = await sendRaw(server.url, bytes);

    // 401 where the headers were fine: the broken body ends the connection after it.
    expect([400, 401]).toContain(status);
    expect(body.toString('latin1')).not.toContain('HTTP/1.1 2');
  });

  it('is one request when both read it alike: the body stays a body', async () => {
    for (const bytes of [
      `${post}Connection: close\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
      `${post}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`,
    ]) {
      const { status, body } = await sendRaw(server.url, bytes);
      expect([status, body.toString('latin1')]).toEqual([401, expect.not.stringContaining('HTTP/1.1 ')]);
    }
  });
});
