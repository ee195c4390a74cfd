import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNupkg } from '../../kit/nupkg.ts';
import { makeKey, pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';
import { readRecording } from '../../wire/recording.ts';

describe.each([undefined, 'feed'] as const)('completion over v2, READ_AUTH=%s', (readAuth) => {
  let server: TestServer;
  let headers: Record<string, string>;
  beforeAll(async () => {
    server = await startTestServer(readAuth === undefined ? {} : { readAuth });
    for (const [id, version] of [
      ['upper', '1.0.0'],
      ['upper', '1.1.0-beta1'],
      ['Delve', '1.22.0'],
      ['Delve', '1.9.0'],
      ['Delve', '1.23.0-beta.1'],
      ['dlv', '1.0.0-beta.1'],
      ['old', '1.0.0-beta1'],
      ['d_x', '1.0'],
    ] as const) {
      await pushNupkg(server, makeNupkg({ id, version }), server.adminKey);
    }
    await fetch(`${server.url}/nuget/Delve/1.9.0`, {
      method: 'DELETE',
      headers: { 'X-NuGet-ApiKey': server.adminKey },
    });
    headers = { Authorization: `Basic ${btoa(`any:${await makeKey(server, ['read'])}`)}` };
  });
  afterAll(() => server.stop());

  const ask = (path: string, more: Record<string, string> = {}, method = 'GET') =>
    fetch(`${server.url}${path}`, { method, headers: { ...headers, ...more } });

  const stable = 'includePrerelease=False&semVerLevel=2.0.0';
  const all = 'includePrerelease=True&semVerLevel=2.0.0';
  it.each([
    [`package-ids?partialId=d&${stable}`, ['d_x', 'Delve']],
    [`package-ids?partialId=D&${all}`, ['d_x', 'Delve', 'dlv']],
    [`package-ids?partialId=&${stable}`, ['d_x', 'Delve', 'upper']],
    [`package-ids?partialId=elve&${all}`, []],
    ['package-ids?partialId=d&includePrerelease=True', ['d_x', 'Delve']],
    ['package-ids?includePrerelease=true&partialId=o', ['old']],
    [`package-ids?partialId=%25&${all}`, []],
    [`package-versions/delve?${stable}`, ['1.22.0']],
    [`Package-Versions/DELVE?${all}`, ['1.22.0', '1.23.0-beta.1']],
    ['package-versions/delve?includePrerelease=True', ['1.22.0']],
    [`package-versions/no.such?${all}`, []],
  ] as const)('answers %s with %j at both bases', async (path, expected) => {
    for (const base of ['nuget', 'api/v2']) {
      const answer = await ask(`/${base}/${path}`);

      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('application/json;charset=utf-8');
      expect(await answer.json()).toEqual(expected);

      const etag = answer.headers.get('etag') ?? '';
      expect(
        (await ask(`/${base}/${path}`, { 'If-None-Match': etag, 'Cache-Control': 'max-age=0' })).status,
      ).toBe(304);
      const head = await ask(`/${base}/${path}`, {}, 'HEAD');
      expect([head.status, head.headers.get('etag'), await head.text()]).toEqual([200, etag, '']);
    }
  });

  it('includes what is published later', async () => {
    const path = '/nuget/package-ids?partialId=new&includePrerelease=false';
    const id = `new.${readAuth ?? 'open'}`;
    expect(await (await ask(path)).json()).toEqual([]);

    await pushNupkg(server, makeNupkg({ id }), server.adminKey);

    expect(await (await ask(path)).json()).toEqual([id]);
  });

  it('refuses what it cannot understand, and other methods', async () => {
    expect((await ask('/nuget/package-ids?includePrerelease=maybe')).status).toBe(400);
    expect((await ask('/nuget/package-ids?partialId=d', {}, 'PUT')).status).toBe(405);
    expect((await ask('/nuget/package-versions')).status).toBe(404);
  });

  it('needs a key where the rest of the feed does', async () => {
    const { status } = await fetch(`${server.url}/nuget/package-ids?partialId=d`);
    expect(status).toBe(readAuth === undefined ? 200 : 401);
  });

  it.each(
    readRecording('nuget-protocol')
      .filter(({ command }) => /v2: AutoComplete/.test(command))
      .flatMap(({ requests }) => requests.slice(1).map(({ line }) => [line] as const)),
  )('works with NuGet.Protocol: %s', async (line) => {
    const answer = await ask(line.split(' ')[1] ?? '');

    expect(await answer.json()).toContain(line.includes('package-ids') ? 'Delve' : '1.22.0');
  });
});
