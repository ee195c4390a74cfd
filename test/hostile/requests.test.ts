import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNupkg } from '../kit/nupkg.ts';
import { openSocket, type RawAnswer, sendRaw } from '../kit/raw-http.ts';
import { pushNupkg, startTestServer, type TestServer } from '../kit/test-server.ts';

const get = (server: TestServer, target: string, headers: readonly string[] = []): Promise<RawAnswer> =>
  sendRaw(
    server.url,
    `${[`GET ${target} HTTP/1.1`, 'Host: FEED', 'Connection: close', ...headers].join('\r\n')}\r\n\r\n`,
  );

describe('a hostile request', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
    expect((await pushNupkg(server, makeNupkg(), server.adminKey)).status).toBe(201);
  });
  afterAll(() => server.stop());

  it.each<[string, string, number]>([
    ['2,000 brackets', `${'('.repeat(2000)}Listed${')'.repeat(2000)}`, 400],
    ['1,000 brackets', `${'('.repeat(1000)}Listed${')'.repeat(1000)}`, 400],
    ['500 times not', `${'not '.repeat(500)}Listed`, 400],
    ['250 calls in one another', `${'trim('.repeat(250)}Id${')'.repeat(250)} eq 'x'`, 400],
    ['2,000 open quotes', "'".repeat(2000), 400],
    ['a number of 1,900 digits', `DownloadCount eq ${'9'.repeat(1900)}`, 400],
    ['a pattern of 900 per cents', `substringof('${'%25'.repeat(600)}',Id)`, 200],
    ['150 conditions', Array(150).fill("Id eq 'x'").join(' or '), 200],
    ['a name of the object system', '__proto__ eq null', 400],
    ['another language', "Id eq 'x'; DROP TABLE packages", 400],
  ])('by its filter is answered quickly: %s', async (_what, filter, status) => {
    const answer = await get(
      server,
      `/nuget/Packages()?$filter=${encodeURIComponent(filter).replaceAll('%2525', '%25')}`,
    );

    expect(answer.status).toBe(status);
  });

  it.each<[string, string, number]>([
    ['a filter of a mebibyte', `/nuget/Packages()?$filter=${'x'.repeat(1024 ** 2)}`, 431],
    ['4,000 parameters', `/nuget/Packages()?${'a=1&'.repeat(3900)}`, 200],
    ['4,000 parameters for a page', `/?${'q=1&'.repeat(3900)}`, 200],
    ['4,000 nested parameters', `/?q${'[a]'.repeat(4000)}=1`, 200],
    ['a path of 15 KB', `/nuget/${'a/'.repeat(7500)}`, 404],
    ['garbage escapes in a path', '/nuget/%zz%', 400],
    ['garbage escapes in a query', '/nuget/Packages()?$filter=%zz%', 400],
    ['garbage escapes for a page', '/packages/%zz', 400],
    ['garbage escapes for a payload', '/dl/%/%/%', 400],
    ['garbage escapes for git', '/git/main/%zz', 404],
    ['half a surrogate', '/nuget/Packages()?$filter=%ED%A0%80', 400],
    ['a skip beyond all', '/nuget/Packages()?$skip=9999999999', 200],
    ['a top beyond all', '/nuget/Packages()?$top=9999999999', 200],
    ['a page beyond all', '/?page=99999999999999999999', 200],
    [
      '500 ids to update',
      `/nuget/GetUpdates()?packageIds='${'a%7C'.repeat(1500)}'&versions='${'1%7C'.repeat(1500)}'`,
      200,
    ],
  ])('by its address is answered quickly: %s', async (_what, target, status) => {
    const answer = await get(server, target);

    expect([answer.status, server.logged().includes('"level":"error"')]).toEqual([status, false]);
  });

  it.each<[string, readonly string[], number]>([
    ['a header of 20 KB', [`X: ${'x'.repeat(20_000)}`], 431],
    ['3,000 headers', Array.from({ length: 3000 }, (_, n) => `X${n}: ${n}`), 431],
    ['1,500 headers', Array.from({ length: 1500 }, (_, n) => `X${n}: `), 200],
    ['8 KB of cookies', [`Cookie: ${'a=b; '.repeat(1600)}`], 200],
    ['a key of 10 KB', [`X-NuGet-ApiKey: ${'k'.repeat(10_000)}`], 200],
    ['two keys', ['X-NuGet-ApiKey: a', 'X-NuGet-ApiKey: b'], 200],
    [
      'a range of 1,000',
      [`Range: bytes=${Array.from({ length: 1000 }, (_, n) => `${n}-${n}`).join(',')}`],
      200,
    ],
  ])('by its headers is answered quickly: %s', async (_what, headers, status) => {
    expect((await get(server, '/nuget/package/sample/1.0.0', headers)).status).toBe(status);
  });

  const whole = makeNupkg().length;
  it.each<[string, number, number | undefined]>([
    ['bytes=0-0', 206, 1],
    ['bytes=-1', 206, 1],
    ['bytes=0-', 206, whole],
    ['bytes=0-99999999999999999999', 206, whole],
    ['bytes=-99999999999999999999', 206, whole],
    [`bytes=${whole}-`, 416, 0],
    ['bytes=99999999999999999999-', 416, 0],
    ['bytes=-0', 416, 0],
    ['bytes=5-2', 416, 0],
    ['bytes=0-0,0-0', 200, whole],
    ['bytes=0-5,3-8,-2', 200, whole],
    [`bytes=${'0-,'.repeat(2000)}0-`, 200, whole],
    ['bytes=a-b', 200, whole],
    ['bytes=', 200, whole],
    ['lines=0-1', 200, whole],
    ['bytes 0-1', 200, whole],
  ])('for the range %s gets %s', async (range, status, bytes) => {
    const answer = await get(server, '/nuget/package/sample/1.0.0', [`Range: ${range}`]);

    expect([answer.status, answer.body.length]).toEqual([status, bytes]);
  });

  it('cannot put a line end into a reason phrase or a header', async () => {
    const evil = '%0d%0aSet-Cookie:%20a=b%0d%0a%0d%0a<html>';
    const key = `X-NuGet-ApiKey: ${server.adminKey}`;
    for (const line of [
      `DELETE /nuget/x${evil}/1.0.0`,
      `POST /nuget/package/x${evil}/1.0.0`,
      `GET /nuget/package/x${evil}/1.0.0`,
      `GET /nuget/Packages(Id='x${evil}',Version='1.0')/$value`,
      `GET /nuget/Packages(Id='sample',Version='1.0.0${evil}')/Download`,
      `GET /nuget/Packages()?$orderby=${evil}`,
      `GET /nuget/Packages()?$top=${evil}`,
      `PUT /dl/x${evil}/1.0.0/x-windows-amd64.exe`,
      `GET /m/x${evil}.json`,
      `GET /packages/x${evil}`,
      `DELETE /api/v1/keys/x${evil}`,
      `GET /v3/registration/x${evil}/index.json`,
    ]) {
      const { status, reason, headers } = await sendRaw(
        server.url,
        `${line} HTTP/1.1\r\nHost: FEED\r\nConnection: close\r\n${key}\r\nContent-Length: 0\r\n\r\n`,
      );
      expect([line, status >= 400 && status < 500]).toEqual([line, true]);
      expect(headers['set-cookie']).toBeUndefined();
      expect(reason).toMatch(/^[\x20-\x7e\xa0-\xff]{1,512}$/);
    }
  });

  it('with a wrong key is answered before its body, of which a bounded part is read', async () => {
    const socket = openSocket(server.url);
    const received: Buffer[] = [];
    socket.on('error', () => undefined).on('data', (chunk) => received.push(chunk));
    // Not `once`, which takes the reset that may come for a failure.
    const happens = (event: string) => new Promise((resolve) => socket.once(event, resolve));
    const closed = happens('close');
    socket.write(
      'PUT /nuget/ HTTP/1.1\r\nHost: FEED\r\nX-NuGet-ApiKey: wrong\r\nExpect: 100-continue\r\nContent-Length: 3000000000\r\n\r\n',
    );
    while (!/^HTTP\/1\.1 403 /m.test(Buffer.concat(received).toString())) await happens('data');
    let sent = 0;
    const block = Buffer.alloc(1024 ** 2);
    while (!socket.destroyed && sent < 2_000_000_000) {
      sent += block.length;
      if (!socket.write(block)) await Promise.race([happens('drain'), closed]);
    }
    await closed;

    // 256 MiB, and what lay in the buffers of the system.
    expect(sent).toBeLessThan(400 * 1024 ** 2);
    expect((await get(server, '/healthz')).status).toBe(200);
  });

  it.each([
    'PUT /nuget/symbolpackage',
    'PUT /nuget/symbolpackage/',
    'PUT /api/v2/symbolpackage',
    'PUT /api/v2/symbolpackage/',
    'PUT //api/v2//symbolpackage',
    'PUT /v3/publish/symbolpackage',
    'PUT /api/v2/symbolpackage?x=y',
  ])('for symbols is told that there are none here: %s', async (line) => {
    const { status, reason } = await sendRaw(
      server.url,
      `${line} HTTP/1.1\r\nHost: FEED\r\nConnection: close\r\nX-NuGet-ApiKey: ${server.adminKey}\r\nContent-Length: 2\r\n\r\nPK`,
    );

    expect([status, reason]).toEqual([
      404,
      'This server does not accept symbol packages; push only the package.',
    ]);
  });
});

describe('a spoofed address', () => {
  const spoofs = [
    'Host: evil.example',
    'X-Forwarded-Host: evil.example',
    'X-Forwarded-Proto: evil',
    'X-Forwarded-Port: 666',
    'X-Forwarded-Prefix: /evil',
    'Forwarded: host=evil.example;proto=evil',
    'X-Original-URL: /evil',
    'X-Rewrite-URL: /evil',
    'X-Forwarded-For: 203.0.113.66, evil',
  ];
  const targets = [
    '/nuget',
    '/nuget/Packages()?$top=1',
    "/nuget/Packages(Id='sample',Version='1.0.0')",
    "/nuget/Packages(Id='sample',Version='1.0.0')/Download",
    '/api/v2/Search()?$top=1',
    '/v3/index.json',
    '/v3/registration/sample/index.json',
    '/',
    '/packages/sample',
    '/api/v1/server',
    '/git/main/go-win-tools.git',
    '/m/none.json',
    '/openapi.json',
  ];

  it.each<[string, Parameters<typeof startTestServer>[0]]>([
    ['without PUBLIC_URL', {}],
    ['with PUBLIC_URL', { publicUrl: 'https://feed.example.org/sub' }],
    ['without PUBLIC_URL, behind a proxy that is trusted', { trustProxy: ['loopback'] }],
    [
      'with PUBLIC_URL, behind a proxy that is trusted',
      { publicUrl: 'https://feed.example.org', trustProxy: ['loopback'] },
    ],
  ])('reaches no link, header or body: %s', async (_what, options) => {
    const server = await startTestServer(options);
    expect((await pushNupkg(server, makeNupkg(), server.adminKey)).status).toBe(201);
    for (const target of targets) {
      const answer = await sendRaw(
        server.url,
        `GET ${target} HTTP/1.1\r\n${spoofs.join('\r\n')}\r\nConnection: close\r\n\r\n`,
      );
      const told = `${answer.reason}\n${JSON.stringify(answer.headers)}\n${answer.body}`;
      expect([target, answer.status < 500, /evil|:666/.exec(told)?.[0]]).toEqual([target, true, undefined]);
    }
    await server.stop();
  });
});
