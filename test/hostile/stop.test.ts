import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { makeNupkg } from '../kit/nupkg.ts';
import { openSocket } from '../kit/raw-http.ts';
import { startServe } from '../kit/serve-process.ts';
import { adminKey, makeTempDir, pushNupkg } from '../kit/test-server.ts';
import { until } from '../kit/until.ts';

const noise = { 'tools/noise.bin': randomBytes(30_000_000) };
const big = makeNupkg({ id: 'big', files: noise, isStored: true });

describe.skipIf(process.platform === 'win32')('a server that is told to stop (needs signals)', () => {
  const start = async () =>
    startServe({ DATA_DIR: await makeTempDir(), ADMIN_API_KEY: adminKey, LOG_LEVEL: 'info' });

  it('lets a running download and a running upload finish, takes nothing new, and exits with 0', async () => {
    const server = await start();
    expect((await pushNupkg(server, big, adminKey)).status).toBe(201);
    const asking = request(`${server.url}/nuget/package/big/1.0.0`).end();
    const [download] = await once(asking, 'response');
    const nupkg = makeNupkg({ id: 'late' });
    const upload = await beginUpload(server.url, nupkg.length);
    const answer: Buffer[] = [];
    const closed = once(upload, 'close');
    upload.on('data', (chunk) => answer.push(chunk));
    upload.write(nupkg.subarray(0, 100));

    const exited = once(server.child, 'exit');
    server.child.kill('SIGTERM');
    await until(
      async () =>
        await fetch(`${server.url}/healthz`).then(
          (refused) => refused.status === 503,
          () => true,
        ),
    );
    upload.write(nupkg.subarray(100));
    const bytes: Buffer[] = [];
    for await (const chunk of download) bytes.push(chunk);

    expect(Buffer.concat(bytes).equals(big)).toBe(true);
    await closed;
    expect(Buffer.concat(answer).toString()).toMatch(/^HTTP\/1\.1 201 Created\r\n/);
    expect(await exited).toEqual([0, null]);
    expect(server.stderr()).toContain('"outcome":"drained"');
  });

  it('ends at once at a second signal', async () => {
    const server = await start();
    const upload = await beginUpload(server.url, 1000);
    upload.on('error', () => undefined);
    upload.write('x');
    const exited = once(server.child, 'exit');
    server.child.kill('SIGTERM');
    await until(async () => server.stderr().includes('"msg":"stopping"'));

    server.child.kill('SIGTERM');

    expect(await exited).toEqual([null, 'SIGTERM']);
  });
});

/** Its server has the request when this returns: a connection without one is closed at once. */
async function beginUpload(url: string, bytes: number): Promise<Socket> {
  const socket = openSocket(url);
  socket.write(
    `PUT /nuget/ HTTP/1.1\r\nHost: FEED\r\nX-NuGet-ApiKey: ${adminKey}\r\nExpect: 100-continue\r\nContent-Length: ${bytes}\r\n\r\n`,
  );
  const [interim] = await once(socket, 'data');
  expect(String(interim)).toBe('HTTP/1.1 100 Continue\r\n\r\n');
  return socket;
}
