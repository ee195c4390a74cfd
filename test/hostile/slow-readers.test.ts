import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { maxUnsentBytes } from '../../server/http/unsent.ts';
import { fillWithLongTexts } from '../kit/long-texts.ts';
import { openSocket } from '../kit/raw-http.ts';
import { makeTempDir, startTestServer, type TestServer } from '../kit/test-server.ts';

const mebibyte = 1024 ** 2;
const longPage = '/nuget/Packages()?$top=6000';

/** Asks, and reads only the beginning of the answer. */
async function askWithoutReading(url: string, path: string): Promise<Socket> {
  const socket = openSocket(url);
  socket.on('error', () => undefined);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: FEED\r\n\r\n`);
  await once(socket, 'readable');
  return socket;
}

describe('clients that do not read the long pages they requested', () => {
  let dataDir: string;
  let server: TestServer;
  beforeAll(async () => {
    dataDir = await makeTempDir();
    await fillWithLongTexts(dataDir, 1300, 4000);
    server = await startTestServer({ dataDir, logLevel: 'silent' });
  });
  afterAll(async () => {
    await server?.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('use no more memory than the limit, however many they are, and others get their pages', async () => {
    const whole = await (await fetch(`${server.url}${longPage}`)).arrayBuffer();
    expect(whole.byteLength).toBeGreaterThan(16 * mebibyte);
    const count = Math.ceil((2 * maxUnsentBytes) / whole.byteLength);

    let most = 0;
    const watching = setInterval(() => {
      most = Math.max(most, process.memoryUsage().arrayBuffers);
    }, 5);
    const sockets: Socket[] = [];
    for (let n = 0; n < count; n += 1) {
      sockets.push(await askWithoutReading(server.url, `${longPage}&n=${n}`));
    }
    clearInterval(watching);
    const again = await fetch(`${server.url}${longPage}&again`);
    const { byteLength } = await again.arrayBuffer();
    for (const socket of sockets) socket.destroy();

    expect(again.status).toBe(200);
    expect(byteLength).toBeGreaterThanOrEqual(whole.byteLength);
    expect(most).toBeLessThan(maxUnsentBytes + 4 * whole.byteLength);
  });
});
