import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNupkg } from '../../kit/nupkg.ts';
import { pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';
import { readRecording } from '../../wire/recording.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await pushNupkg(server, makeNupkg({ id: 'delve', version: '1.22.0' }), server.adminKey);
});
afterAll(() => server.stop());

const ask = (userAgent: string, method = 'GET') =>
  fetch(`${server.url}/`, { method, redirect: 'manual', headers: { 'User-Agent': userAgent } });

const recorded = ['choco-2.7.3', 'nuget-6.13', 'nuget-5.8', 'dotnet-10', 'choco-0.10.15', 'psresourceget']
  .flatMap((name) => readRecording(name))
  .flatMap(({ requests }) => requests.map(({ headers }) => headers['User-Agent'] ?? ''))
  .filter((userAgent) => userAgent.includes('NuGet'));

describe('the bare address of the server', () => {
  it.each([...new Set(recorded)])('leads %s to the feed', async (userAgent) => {
    for (const method of ['GET', 'HEAD']) {
      const answer = await ask(userAgent, method);

      expect([answer.status, answer.headers.get('location')]).toEqual([302, '/nuget']);
      expect(answer.headers.get('vary')).toMatch(/^User-Agent\b/);
      expect(answer.headers.get('cache-control')).toBe('no-cache');
    }
  });

  it.each(['Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/131.0.0.0 Safari/537.36', 'curl/8.5.0', ''])(
    'shows %s the page',
    async (userAgent) => {
      const answer = await ask(userAgent);

      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
      expect(answer.headers.get('vary')).toMatch(/^User-Agent\b/);
    },
  );

  it('keeps the path of PUBLIC_URL behind a proxy', async () => {
    const proxied = await startTestServer({ publicUrl: 'https://feed.corp/go/' });

    const answer = await fetch(`${proxied.url}/`, {
      redirect: 'manual',
      headers: { 'User-Agent': 'NuGet Command Line/6.13.1' },
    });

    expect(answer.headers.get('location')).toBe('/go/nuget');
    await proxied.stop();
  });

  it('takes a push, as choco sends it there', async () => {
    const nupkg = makeNupkg({ id: 'pushed' });

    expect((await pushNupkg(server, nupkg, server.adminKey, '/api/v2/package/')).status).toBe(201);
  });
});
