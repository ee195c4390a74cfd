import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { redactUrl } from '../../../server/log.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { adminKey, pushNupkg, startTestServer } from '../../kit/test-server.ts';

describe('request log', () => {
  it('has one line for each request, with what an operator needs', async () => {
    const server = await startTestServer();

    const answer = await fetch(`${server.url}/nuget/package/none/1.0.0?ApiKey=secret`);
    await answer.text();
    await server.stop();

    const lines = server
      .logged()
      .split('\n')
      .filter((line) => line.includes('"msg":"request"'))
      .map((line) => JSON.parse(line));
    expect(lines).toEqual([
      {
        level: 'info',
        time: expect.any(String),
        requestId: answer.headers.get('x-request-id'),
        method: 'GET',
        url: '/nuget/package/none/1.0.0?ApiKey=[redacted]',
        route: 'package',
        status: 404,
        ms: expect.any(Number),
        bytes: expect.any(Number),
        from: '127.0.0.1',
        msg: 'request',
      },
    ]);
  });

  it.each([
    ['all', ['/healthz', '/nuget/nothing']],
    ['errors', ['/nuget/nothing']],
    ['off', []],
  ] as const)(
    'has the requests that ACCESS_LOG=%s names, and metrics count all',
    async (accessLog, logged) => {
      const server = await startTestServer({ accessLog });

      for (const path of ['/healthz', '/nuget/nothing']) await (await fetch(`${server.url}${path}`)).text();
      const metrics = await (await fetch(`${server.url}/metrics`)).text();
      await server.stop();

      const lines = server
        .logged()
        .split('\n')
        .filter((line) => line.includes('"msg":"request"'));
      const urls = lines.map((line): string => JSON.parse(line).url).filter((url) => url !== '/metrics');
      expect(urls).toEqual(logged);
      expect(metrics).toMatch(/gwt_requests_total\{[^}]*status="200"\} 1/);
      expect(metrics).toMatch(/gwt_requests_total\{[^}]*status="404"\} 1/);
    },
  );

  it('is JSON whatever a client sends, and names a download', async () => {
    const server = await startTestServer();
    await pushNupkg(server, makeNupkg({ id: 'tool', version: '1.0.0' }), adminKey);
    const path = '/nuget/package/tool/1.0.0?"\\=<';

    const sent = request(`${server.url}/`, { path, headers: { 'User-Agent': 'a "b" \\ \u00ff' } }).end();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    await buffer(answer);
    await server.stop();

    const last = server
      .logged()
      .split('\n')
      .findLast((line) => line.includes('"msg":"request"'));
    expect(JSON.parse(last ?? '')).toMatchObject({
      url: path,
      ...{ id: 'tool', version: '1.0.0', client: 'a "b" \\ \u00ff' },
    });
  });

  it.each([
    [undefined, '127.0.0.1'],
    [['loopback'], '203.0.113.7'],
    [['10.0.0.0/8'], '127.0.0.1'],
  ])('trusts X-Forwarded-For only from TRUST_PROXY=%s', async (trustProxy, from) => {
    const server = await startTestServer(trustProxy === undefined ? {} : { trustProxy });

    await fetch(`${server.url}/healthz`, { headers: { 'X-Forwarded-For': '203.0.113.7' } });
    await server.stop();

    expect(server.logged()).toContain(`"from":"${from}"`);
  });

  it.each([
    ['/nuget?apikey=a&x=1', '/nuget?apikey=[redacted]&x=1'],
    ['/nuget?x=1&api_key=a#f', '/nuget?x=1&api_key=[redacted]#f'],
    ['/nuget?TOKEN=a', '/nuget?TOKEN=[redacted]'],
    ["/nuget?$skiptoken='a','1.0'", "/nuget?$skiptoken='a','1.0'"],
    ['/nuget?%24skiptoken=a&token=b', '/nuget?%24skiptoken=a&token=[redacted]'],
    ['/nuget?skiptoken=a', '/nuget?skiptoken=[redacted]'],
    ['/nuget?X-NuGet-ApiKey=a&access_token=b', '/nuget?X-NuGet-ApiKey=[redacted]&access_token=[redacted]'],
    ['/nuget?api%6bey=a&x=1', '/nuget?api%6bey=[redacted]&x=1'],
    ['/nuget?client_secret=a%&%=b', '/nuget?client_secret=[redacted]&%=b'],
    ["/nuget?$filter=Id eq 'key=x'", "/nuget?$filter=Id eq 'key=x'"],
    ['/nuget?searchTerm=key', '/nuget?searchTerm=key'],
    [`/nuget/gwt_${'aB3-_'.repeat(9)}/x?q=gwt_${'x'.repeat(43)}`, '/nuget/[redacted]/x?q=[redacted]'],
    ['/packages/gwt_tool', '/packages/gwt_tool'],
  ])('writes %s as %s', (url, written) => {
    expect(redactUrl(url)).toBe(written);
  });
});
