import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { limitServer, type serverLimits } from '../../server/http/limits.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { openSocket } from '../kit/raw-http.ts';
import { pushNupkg, startTestServer } from '../kit/test-server.ts';

/** The listener's own limits, made short. */
async function serve(limits: Partial<typeof serverLimits>, handle: RequestListener): Promise<string> {
  const server = createServer({ connectionsCheckingInterval: 20 }, handle).listen(0, '127.0.0.1');
  limitServer(server, { headersMs: 60_000, requestMs: 60_000, stalledMs: 60_000, idleMs: 60_000, ...limits });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const answer: RequestListener = (req, res) => {
  req.resume().once('end', () => res.end('whole'));
};

/** Sends one byte after the other until the other end has had enough. */
async function dribble(socket: Socket, byte: string): Promise<void> {
  socket.on('error', () => undefined);
  const dribbling = setInterval(() => socket.write(byte), 5);
  await new Promise((resolve) => socket.once('close', resolve));
  clearInterval(dribbling);
}

describe('a client that is slow on purpose', () => {
  it.each([
    ['its headers', 'GET / HTTP/1.1\r\nHost: FEED\r\nX: ', 'x'],
    ['its first line', 'GET /', 'x'],
    ['line ends before its first line', '', '\r\n'],
  ])('is cut off when it slowly sends %s', async (_what, beginning, byte) => {
    const socket = openSocket(await serve({ headersMs: 100 }, answer));
    socket.resume();
    socket.write(beginning);

    await dribble(socket, byte);

    expect(socket.destroyed).toBe(true);
  });

  it.each<[string, string, Partial<typeof serverLimits>]>([
    ['nothing', '', { headersMs: 100 }],
    ['half its headers', 'GET / HTTP/1.1\r\nHost: FEED\r\n', { headersMs: 100 }],
    ['half its body', 'PUT / HTTP/1.1\r\nHost: FEED\r\nContent-Length: 9\r\n\r\nx', { stalledMs: 100 }],
    [
      'half a chunk',
      'PUT / HTTP/1.1\r\nHost: FEED\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nx',
      { stalledMs: 100 },
    ],
    ['one request and then none', 'GET / HTTP/1.1\r\nHost: FEED\r\n\r\n', { idleMs: 100 }],
  ])('is cut off when it sends %s and then nothing', async (_what, bytes, limits) => {
    const socket = openSocket(await serve(limits, answer));
    socket.on('error', () => undefined);
    socket.write(bytes);

    await text(socket);

    expect(socket.readableEnded).toBe(true);
  });

  it('is cut off when its upload takes longer than the limit', async () => {
    const socket = openSocket(await serve({ requestMs: 150, headersMs: 100 }, answer));
    socket.resume();
    socket.write('PUT / HTTP/1.1\r\nHost: FEED\r\nContent-Length: 1000000\r\n\r\n');

    await dribble(socket, 'x');

    expect(socket.destroyed).toBe(true);
  });
});

describe('a flood of connections', () => {
  it('that say nothing, or nothing more, keeps nobody else out', async () => {
    const testServer = await startTestServer();
    expect((await pushNupkg(testServer, makeNupkg(), testServer.adminKey)).status).toBe(201);
    const sockets = Array.from({ length: 800 }, () =>
      openSocket(testServer.url).on('error', () => undefined),
    );
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    for (const [n, socket] of sockets.entries()) {
      if (n % 3 === 0) socket.write('GET /healthz HTTP/1.1\r\nHost: FEED\r\n\r\n');
      if (n % 3 === 1) socket.write('PUT /nuget/ HTTP/1.1\r\nHost: FEED\r\nContent-Length: 1000\r\n\r\nx');
    }

    const download = await fetch(`${testServer.url}/nuget/package/sample/1.0.0`);
    expect([download.status, (await download.arrayBuffer()).byteLength]).toEqual([200, makeNupkg().length]);
    expect((await pushNupkg(testServer, makeNupkg({ version: '2.0.0' }), testServer.adminKey)).status).toBe(
      201,
    );
    expect((await fetch(`${testServer.url}/readyz`)).status).toBe(200);

    for (const socket of sockets) socket.destroy();
    await testServer.stop();
  });

  it('that ask and never read uses no memory for unread answers', async () => {
    const testServer = await startTestServer();
    const nupkg = makeNupkg({ files: { 'tools/noise.bin': randomBytes(900_000) } });
    expect((await pushNupkg(testServer, nupkg, testServer.adminKey)).status).toBe(201);
    const request = 'GET /nuget/package/sample/1.0.0 HTTP/1.1\r\nHost: FEED\r\n\r\n'.repeat(50);
    const before = process.memoryUsage().rss;
    const sockets = Array.from({ length: 50 }, () =>
      openSocket(testServer.url)
        .on('error', () => undefined)
        .pause(),
    );
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    for (const socket of sockets) socket.write(request);

    expect((await fetch(`${testServer.url}/readyz`)).status).toBe(200);
    const grown = (process.memoryUsage().rss - before) / 1024 ** 2;

    expect(grown).toBeLessThan(200);
    for (const socket of sockets) socket.destroy();
    await testServer.stop();
  });
});
