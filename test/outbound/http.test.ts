import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { AnswerTooLong, createHttp, openGet, readBody } from '../../outbound/http.ts';
import { type Listening, useListeners } from '../kit/listen.ts';

const { serve, endLater } = useListeners();

describe('the HTTP client', () => {
  it('names itself', async () => {
    const server = await serve((request, response) => response.end(request.headers['user-agent']));
    expect(await createHttp({ userAgent: 'go-win-tools/1' })(server.url).text()).toBe('go-win-tools/1');
  });

  it('sends a key on to the same origin but not to another port', async () => {
    const seen: (string | undefined)[] = [];
    const other = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.end('there');
    });
    const server: Listening = await serve((request, response) => {
      seen.push(request.headers.authorization);
      const location = request.url === '/' ? '/again' : other.url;
      response.writeHead(302, { location }).end();
    });
    const http = createHttp({ userAgent: 'x' });
    expect(await http(server.url, { headers: { authorization: 'Bearer secret' } }).text()).toBe('there');
    expect(seen).toEqual(['Bearer secret', 'Bearer secret', undefined]);
  });

  it('goes through HTTP_PROXY for plain addresses, and directly where NO_PROXY says so', async () => {
    const target = await serve((_, response) => response.end('target'));
    const proxy = await serve((request, response) => response.end(`proxied ${request.url}`));
    const http = createHttp({ userAgent: 'x', httpProxy: proxy.url.replace('http://', '') });
    expect(await http(`${target.url}/file`).text()).toBe(`proxied ${target.url}/file`);
    const direct = createHttp({ userAgent: 'x', httpProxy: proxy.url, noProxy: 'example.test,127.0.0.1' });
    expect(await direct(`${target.url}/file`).text()).toBe('target');
  });

  it('asks HTTPS_PROXY for a tunnel, so that the proxy sees host and port only', async () => {
    const asked: (string | undefined)[] = [];
    const proxy: Server = createServer();
    proxy.on('connect', (request, socket) => {
      asked.push(request.url);
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    endLater(async () => void proxy.close());
    const httpsProxy = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const http = createHttp({ userAgent: 'x', httpsProxy });
    await expect(http('https://example.test/secret/path', { retry: { limit: 0 } })).rejects.toThrow();
    expect(asked).toEqual(['example.test:443']);
  });

  it('throws the reason and its code, without the request', async () => {
    const server = await serve((request) => void request.socket.destroy());
    const { signal } = new AbortController();
    const headers = { authorization: 'Bearer secret' };
    const limits = { answerTimeoutMs: 60_000, idleTimeoutMs: 60_000 };

    const asked = openGet(createHttp({ userAgent: 'x' }), server.url, {
      headers,
      signal,
      decompress: true,
      ...limits,
    });

    const error = await asked.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ message: 'socket hang up', code: 'ECONNRESET' });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('secret');
  });

  it('stops reading an answer that comes a byte at a time, or is too long', async () => {
    const dribbling = await serve((_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'), 10);
      response.once('close', () => clearInterval(timer));
    });
    const http = createHttp({ userAgent: 'x' });
    const open = (totalTimeoutMs: number) =>
      openGet(http, dribbling.url, {
        headers: {},
        signal: new AbortController().signal,
        decompress: true,
        answerTimeoutMs: 60_000,
        idleTimeoutMs: 60_000,
        totalTimeoutMs,
      });

    // On a busy machine the time may be over before the answer begins.
    const late = open(200).then((answer) => readBody(answer, 1_000_000));
    await expect(late).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    await expect(readBody(await open(60_000), 5)).rejects.toThrow(AnswerTooLong);
  });
});
