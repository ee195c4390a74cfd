import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { maxUnsentBytes } from '../../server/http/unsent.ts';
import { fillWithLongTexts } from '../kit/long-texts.ts';
import { openSocket } from '../kit/raw-http.ts';
import { makeTempDir, startTestServer, type TestServer } from '../kit/test-server.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

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

describe('clients that do not read the long pages they asked for', () => {
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

  async function bytesOf(path: string): Promise<number> {
    const answer = await fetch(`${server.url}${path}`);
    expect(answer.status).toBe(200);
    return (await answer.arrayBuffer()).byteLength;
  }

  it('use no more memory than the limit, however many they are, and others get their pages', async () => {
    const bytes = await bytesOf(longPage);
    expect(bytes).toBeGreaterThan(16 * mebibyte);
    const count = Math.ceil((1.5 * maxUnsentBytes) / bytes);

    // What was let go still counts until it is collected, at whatever moment that is.
    const buffersInUse = (): number => {
      collectGarbage();
      return process.memoryUsage().arrayBuffers;
    };
    const before = buffersInUse();
    const held: number[] = [];
    const sockets: Socket[] = [];
    for (let n = 0; n < count; n += 1) {
      sockets.push(await askWithoutReading(server.url, `${longPage}&n=${n}`));
      held.push(buffersInUse() - before);
    }
    const again = await bytesOf(`${longPage}&again`);
    for (const socket of sockets) socket.destroy();

    expect(again).toBeGreaterThanOrEqual(bytes);
    expect(Math.max(...held)).toBeLessThan(maxUnsentBytes + 2 * bytes);
  });
});
