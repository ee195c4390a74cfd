import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import express, { type RequestHandler } from 'express';
import { describe, expect, it, onTestFinished } from 'vitest';
import { discardRest, limitRequestTime } from '../../../server/http/limits.ts';
import { openSocket } from '../../kit/raw-http.ts';

async function serve(...handlers: RequestHandler[]): Promise<string> {
  const server = express()
    .use(...handlers)
    .listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('limits', () => {
  it('discard the rest of a refused upload, so that the answer is read', async () => {
    const url = await serve((req, res) => {
      discardRest(req);
      res.status(401).end('no');
    });

    const answer = await fetch(url, { method: 'PUT', body: Buffer.alloc(5_000_000) });

    expect([answer.status, await answer.text()]).toEqual([401, 'no']);
  });

  it('end the connection of a refused upload that does not end', async () => {
    const url = await serve((req, res) => {
      discardRest(req, 100_000);
      res.status(401).end('no');
    });
    const socket = openSocket(url);
    socket.on('error', () => undefined);
    const closed = once(socket, 'close');
    socket.write('PUT / HTTP/1.1\r\nHost: FEED\r\nContent-Length: 1000000000\r\n\r\n');

    const [answer] = await once(socket, 'data');
    const dribble = setInterval(() => socket.write(Buffer.alloc(50_000)), 5);
    await closed;
    clearInterval(dribble);

    expect(String(answer)).toMatch(/^HTTP\/1\.1 401/);
  });

  it('treat pushes as uploads, but not the request of a fetch', async () => {
    const url = await serve(
      limitRequestTime(50),
      (req, res) => void req.resume().once('end', () => res.end()),
    );
    const isClosed = async (path: string, withinMs: number): Promise<boolean> => {
      const socket = openSocket(url);
      onTestFinished(() => void socket.destroy());
      const closed = once(socket, 'close').then(() => true);
      socket.write(`POST ${path} HTTP/1.1\r\nHost: FEED\r\nContent-Length: 9\r\n\r\n0`);
      return Promise.race([closed, sleep(withinMs, false)]);
    };

    expect(await isClosed('/git/main/go-win-tools.git/git-upload-pack', 30_000)).toBe(true);
    expect(await isClosed('/git/main/go-win-tools.git/info/refs', 30_000)).toBe(true);
    expect(await isClosed('/git/main/go-win-tools.git/git-receive-pack', 500)).toBe(false);
    expect(await isClosed('/dl/x/1.0.0/x-windows-amd64.exe', 500)).toBe(false);
  });

  it('end the connection of a refused upload that arrives slowly', async () => {
    const url = await serve((req, res) => {
      discardRest(req, 100_000, 100);
      res.status(401).end('no');
    });
    const socket = openSocket(url);
    // A reset is one way to end it, and `once` would take it for a failure.
    socket.on('error', () => undefined);
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.write('PUT / HTTP/1.1\r\nHost: FEED\r\nContent-Length: 90000\r\n\r\n');

    const [answer] = await once(socket, 'data');
    const dribble = setInterval(() => socket.write('x'), 5);
    await closed;
    clearInterval(dribble);

    expect(String(answer)).toMatch(/^HTTP\/1\.1 401/);
  });

  it('keep the connection of a refused upload that was small', async () => {
    const url = await serve((req, res) => {
      discardRest(req, 100_000, 50);
      res.status(401).end('no');
    });
    const socket = openSocket(url);
    for (let n = 0; n < 2; n += 1) {
      socket.write('PUT / HTTP/1.1\r\nHost: FEED\r\nContent-Length: 3\r\n\r\nabc');
      expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 401/);
      await sleep(100);
    }
    socket.destroy();
  });

  it('end a small request that takes too long, but no upload', async () => {
    const url = await serve(limitRequestTime(50), (req, res) => {
      req.resume();
      req.once('end', () => res.end('whole'));
    });
    const start = (path: string) => {
      const socket = openSocket(url);
      socket.write(`PUT ${path} HTTP/1.1\r\nHost: FEED\r\nConnection: close\r\nContent-Length: 2\r\n\r\n1`);
      return socket;
    };
    const upload = start('/nuget/');
    const small = start('/api/v1/keys');
    const uploadAnswer = text(upload);

    await once(
      small.on('error', () => undefined),
      'close',
    );
    upload.write('2');

    expect(await uploadAnswer).toContain('whole');
  });
});
