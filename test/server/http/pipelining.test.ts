import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { oneByOne } from '../../../server/http/pipelining.ts';
import { openSocket } from '../../kit/raw-http.ts';

async function serve(handle: RequestListener): Promise<string> {
  const server = createServer(oneByOne(handle, 5)).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: FEED\r\n${more}\r\n`;

describe('requests that are sent ahead', () => {
  it('are handled one after the other, bodies and all', async () => {
    let running = 0;
    let most = 0;
    const url = await serve(async (req, res) => {
      running += 1;
      most = Math.max(most, running);
      const body = await text(req);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      res.end(`${req.url} ${body};`);
    });
    const socket = openSocket(url);
    socket.write(
      `${get('/1')}${get('/2', 'Content-Length: 3\r\n')}abc${get('/3')}${get('/4', 'Connection: close\r\n')}`,
    );

    const answers = await text(socket);

    expect([...answers.matchAll(/\/\d \w*;/g)].map(([answer]) => answer)).toEqual([
      '/1 ;',
      '/2 abc;',
      '/3 ;',
      '/4 ;',
    ]);
    expect(most).toBe(1);
  });

  it('end the connection when there are too many', async () => {
    let handled = 0;
    const url = await serve((_req, res) => {
      handled += 1;
      // Never the end: nobody comes after it.
      res.write('x');
    });
    const socket = openSocket(url);
    socket.on('error', () => undefined).resume();
    socket.write(get('/').repeat(10));

    await new Promise((resolve) => socket.once('close', resolve));

    expect(handled).toBe(1);
  });

  it('do not delay those who wait for each answer', async () => {
    const url = await serve((_req, res) => void res.end('x'));
    const socket = openSocket(url);
    for (let n = 0; n < 30; n += 1) {
      socket.write(get('/'));
      expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 200 /);
    }
    socket.destroy();
  });
});
