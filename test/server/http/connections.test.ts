import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createConnectionLimit } from '../../../server/http/connections.ts';
import { openSocket } from '../../kit/raw-http.ts';

/** A server to which everybody comes from `address`. */
async function serve(address: string, trusted: readonly string[], max: number) {
  const warnings: unknown[] = [];
  const limit = createConnectionLimit(trusted, { warn: (line: unknown) => void warnings.push(line) }, max);
  const server = createServer(limit.guard((_req, res) => res.end('welcome')));
  server.on('connection', (socket: Socket) =>
    Object.defineProperty(socket, 'remoteAddress', { value: address }),
  );
  limit.watch(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  async function open(): Promise<Socket> {
    const socket = openSocket(url);
    onTestFinished(() => void socket.destroy());
    const taken = once(server, 'connection');
    await taken;
    return socket;
  }
  async function ask(socket: Socket): Promise<string> {
    const answer = text(socket);
    socket.write('GET / HTTP/1.1\r\nHost: FEED\r\nConnection: close\r\n\r\n');
    return answer;
  }
  return { open, ask, warnings };
}

describe('the connections of one address', () => {
  it.each(['192.0.2.1', '::ffff:192.0.2.1', '2001:db8::1'])('are limited, from %s', async (address) => {
    const { open, ask, warnings } = await serve(address, ['10.0.0.0/8'], 3);
    const first = await open();
    await open();
    await open();

    const refused = await ask(await open());
    await ask(await open());

    expect(refused).toMatch(/^HTTP\/1\.1 503 Your address has more than 3 connections to this server; /);
    expect(refused).toMatch(/\r\nRetry-After: 5\r\n/);
    expect(warnings).toEqual([{ from: address, max: 3 }]);
    first.destroy();
    await expect.poll(async () => ask(await open())).toContain('welcome');
  });

  it.each([
    ['127.0.0.1', []],
    ['::1', []],
    ['10.1.2.3', ['10.0.0.0/8']],
    ['fd00::1', ['uniquelocal']],
  ])('are not, from %s with TRUST_PROXY %j', async (address, trusted) => {
    const { open, ask } = await serve(address, trusted, 1);
    await open();
    await open();

    expect(await ask(await open())).toContain('welcome');
  });
});
