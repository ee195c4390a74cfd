import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { adminKey, makeTempDir, pushNupkg } from '../kit/house.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { openSocket } from '../kit/raw-http.ts';
import { startServe } from '../kit/serve-process.ts';
import { until } from './until.ts';

const big = makeNupkg({ id: 'big', files: { 'tools/noise.bin': randomBytes(30_000_000) } });

describe.skipIf(process.platform === 'win32')('a server that is told to stop (needs signals)', () => {
  const start = async () =>
    startServe({ DATA_DIR: await makeTempDir(), ADMIN_API_KEY: adminKey, LOG_LEVEL: 'info' });

  it('lets a running download and a running upload finish, takes nothing new, and exits with 0', async () => {
    const server = await start();
    expect((await pushNupkg(server, big, adminKey)).status).toBe(201);
    const asking = request(`${server.url}/nuget/package/big/1.0.0`).end();
    const [download] = await once(asking, 'response');
    const upload = openSocket(server.url);
    const nupkg = makeNupkg({ id: 'late' });
    const answer: Buffer[] = [];
    const closed = once(upload, 'close');
    upload.on('data', (chunk) => answer.push(chunk));
    upload.write(
      `PUT /nuget/ HTTP/1.1\r\nHost: FEED\r\nX-NuGet-ApiKey: ${adminKey}\r\nContent-Length: ${nupkg.length}\r\n\r\n`,
    );
    upload.write(nupkg.subarray(0, 100));
    await (await fetch(`${server.url}/healthz`)).text();

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
    const upload = openSocket(server.url);
    upload.on('error', () => undefined);
    upload.write(
      `PUT /nuget/ HTTP/1.1\r\nHost: FEED\r\nX-NuGet-ApiKey: ${adminKey}\r\nContent-Length: 1000\r\n\r\nx`,
    );
    await (await fetch(`${server.url}/healthz`)).text();
    const exited = once(server.child, 'exit');
    server.child.kill('SIGTERM');
    await until(async () => server.stderr().includes('"msg":"stopping"'));

    server.child.kill('SIGTERM');

    expect(await exited).toEqual([null, 'SIGTERM']);
  });
});
