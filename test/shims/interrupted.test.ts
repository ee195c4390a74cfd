import { rm } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCommand } from '../../shims/command.ts';
import { startCuttingProxy } from '../kit/cutting-proxy.ts';
import { hasGo } from '../kit/exe.ts';
import { listen } from '../kit/listen.ts';
import { testCacheDir } from '../kit/test-cache.ts';
import { makeTempDir, productDir, startTestServer } from '../kit/test-server.ts';

describe.skipIf(!hasGo)('Ctrl-C while shims are published (needs go)', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await makeTempDir();
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  function publish(env: Record<string, string>, signal: AbortSignal): Promise<unknown> {
    const nobody = new Writable({ write: (_chunk, _encoding, done) => done() });
    const command = createCommand({
      env: { ...process.env, CACHE_DIR: testCacheDir, DATA_DIR: dir, ...env },
      stdout: nobody,
      stderr: nobody,
      productDir,
      cwd: dir,
      signal,
      version: '1.2.0',
    });
    return command.parseAsync(['--publish', 'beta'], { from: 'user' });
  }

  it('is an interruption, not an unreachable feed', async () => {
    const interruption = new AbortController();
    const silent = await listen(() => interruption.abort());
    try {
      await expect(publish({ FEED_URL: `${silent.url}/nuget` }, interruption.signal)).rejects.toMatchObject({
        code: 'INTERRUPTED',
        exitCode: 130,
      });
    } finally {
      await silent.stop();
    }
  });

  it.each([
    ['PUT /nuget', /: Published: payload \S+\. Not finished: go-win-shims 1\.2\.0-beta\.1\.$/],
    ['GET /nuget/Packages', /; package go-win-shims 1\.2\.0-beta\.1\. Not finished: go-win-shims \S+$/],
    [
      'POST /git/beta/go-win-tools.git/git-receive-pack',
      /; package go-win-shims 1\.2\.0-beta\.1\. Not finished: go-win-shims \S+$/,
    ],
  ] as const)('at %s says what is published and what is not', async (request, says) => {
    const server = await startTestServer();
    const proxy = await startCuttingProxy(server.url);
    const interruption = new AbortController();
    proxy.trap(request, 'before', () => interruption.abort());
    try {
      await expect(
        publish({ FEED_URL: `${proxy.url}/nuget`, FEED_API_KEY: server.adminKey }, interruption.signal),
      ).rejects.toMatchObject({ code: 'INTERRUPTED', message: expect.stringMatching(says) });
    } finally {
      await proxy.stop();
      await server.stop();
    }
  });
});
