import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { findServer } from '../../../server/server-file.ts';
import { withData } from '../../../server/verbs/with-data.ts';
import { makeTempDir, productDir, startTestServer, type TestServer } from '../../kit/test-server.ts';

const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

function fixtureOf(dataDir: string) {
  const streams = { stdout: new PassThrough(), stderr: new PassThrough() };
  const signal = new AbortController().signal;
  return {
    env: { PATH: process.env.PATH, DATA_DIR: dataDir },
    ...streams,
    productDir,
    cwd: '/',
    signal,
    version: '0',
  };
}

describe('the data folder', () => {
  it('is used alone when no server holds it, and is free again afterwards', async () => {
    const fixture = fixtureOf(await makeTempDir());

    for (const round of [1, 2]) {
      expect(
        await withData(fixture, { alone: async ({ services }) => services.catalog.size() }),
        `${round}`,
      ).toBe(0);
    }
  });

  it('is used through the server that holds it, without any setting about that server', async () => {
    const server = await startTestServer();
    servers.push(server);

    const keys = await withData(fixtureOf(server.dataDir), {
      alone: async () => 'alone',
      running: async ({ ask }) => JSON.parse(await ask('api/v1/keys')),
    });

    expect(keys).toEqual([]);
  });

  it('is not created by work that only reads, as with a misspelt DATA_DIR', async () => {
    const dataDir = join(await makeTempDir(), 'dtaa');

    const work = withData(fixtureOf(dataDir), { needsFeed: true, alone: async () => 'alone' });

    await expect(work).rejects.toMatchObject({ code: 'NO_FEED', message: expect.stringContaining(dataDir) });
    await expect(stat(dataDir)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is refused to work that needs it alone', async () => {
    const server = await startTestServer();
    servers.push(server);

    const work = withData(fixtureOf(server.dataDir), { alone: async () => 'alone' });

    await expect(work).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE' });
  });

  it('is used through the address that the server has bound, not through a name', async () => {
    const server = await startTestServer({ host: '0.0.0.0' });
    servers.push(server);

    const { port } = new URL(server.url);
    expect(findServer(server.dataDir)?.url).toBe(`http://127.0.0.1:${port}`);
  });

  it('is not accessed through what a crash left, once somebody else has it', async () => {
    const fixture = fixtureOf(await makeTempDir());
    const file = join(fixture.env.DATA_DIR, 'server.json');
    await writeFile(file, JSON.stringify({ pid: 1, url: 'http://127.0.0.1:1', key: 'old' }));

    const meanwhile = await withData(fixture, {
      alone: () =>
        withData(fixture, { alone: async () => 'alone', running: async ({ url }) => url }).catch(
          ({ code }) => code,
        ),
    });

    expect(meanwhile).toBe('SERVER_UNKNOWN');
  });

  it("passes on the server's answer to a bad request", async () => {
    const server = await startTestServer();
    servers.push(server);

    const work = withData(fixtureOf(server.dataDir), {
      alone: async () => 'alone',
      running: ({ ask }) => ask('api/v1/keys/nobody', { method: 'DELETE' }),
    });

    await expect(work).rejects.toThrow('The running server says: No active key has the id nobody');
  });

  it.skipIf(process.platform === 'win32')(
    'keeps the key of the running server private, and it ends with the server',
    async () => {
      const server = await startTestServer();
      const file = join(server.dataDir, 'server.json');
      const { mode } = await stat(file);
      const key = findServer(server.dataDir)?.key ?? '';

      await server.stop();
      const next = await startTestServer({ dataDir: server.dataDir });
      servers.push(next);

      expect(mode & 0o777).toBe(0o600);
      expect(key).not.toBe('');
      expect(server.logged()).not.toContain(key);
      const answer = await fetch(`${next.url}/api/v1/keys`, { headers: { 'X-NuGet-ApiKey': key } });
      expect(answer.status).toBe(403);
    },
  );
});
