import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startTestServer } from '../../kit/test-server.ts';

describe('monitoring routes', () => {
  it('say that the server is alive and ready', async () => {
    const server = await startTestServer();

    expect(await (await fetch(`${server.url}/healthz`)).text()).toBe('ok\n');
    expect(await (await fetch(`${server.url}/readyz`)).text()).toBe('ready\n');
    await server.stop();
  });

  it('name what does not answer, and stay alive', async () => {
    const server = await startTestServer();
    await rm(join(server.dataDir, 'blobs'), { recursive: true });
    await rm(join(server.dataDir, 'bucket'), { recursive: true });

    const answer = await fetch(`${server.url}/readyz`);

    expect([answer.status, await answer.text()]).toEqual([503, 'Not ready: blobs, git does not answer\n']);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    await server.stop();
  });
});
