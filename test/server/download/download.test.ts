import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNupkg } from '../../kit/nupkg.ts';
import { openSocket, sendRaw } from '../../kit/raw-http.ts';
import { pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';

describe('download routes', () => {
  let server: TestServer;
  const nupkg = makeNupkg({ id: 'Sample', files: { 'tools/noise.bin': randomBytes(3_000_000) } });
  const etag = `"${createHash('sha256').update(nupkg).digest('hex')}"`;
  beforeAll(async () => {
    server = await startTestServer();
    await pushNupkg(server, nupkg, server.adminKey);
    await pushNupkg(server, makeNupkg({ id: 'Sample', version: '2.0.0-beta' }), server.adminKey);
  });
  afterAll(() => server.stop());

  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    fetch(`${server.url}/nuget/package/${path}`, { method, headers });
  const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer());

  it.each(['sample/1.0.0', 'SAMPLE/1.0', 'Sample/01.0.0.0', 'sample'])(
    'finds the package at %s',
    async (path) => {
      const answer = await ask(path);

      expect(answer.status).toBe(200);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'content-type': 'application/zip',
        'content-length': String(nupkg.length),
        'content-disposition': 'attachment; filename="Sample.1.0.0.nupkg"',
        'cache-control': path === 'sample' ? 'public, no-cache' : 'public, max-age=31536000, immutable',
        etag,
      });
      expect(answer.headers.has('content-encoding')).toBe(false);
      expect((await bytesOf(answer)).equals(nupkg)).toBe(true);
    },
  );

  it('answers HEAD like GET without the bytes', async () => {
    const answer = await ask('sample/1.0.0', {}, 'HEAD');

    expect([answer.status, answer.headers.get('content-length'), answer.headers.get('etag')]).toEqual([
      200,
      String(nupkg.length),
      etag,
    ]);
  });

  it.each([
    ['the tag', etag, 304],
    ['the weak tag among others', `"x", W/${etag}`, 304],
    ['anything', '*', 304],
    ['another tag', '"x"', 200],
  ])('answers If-None-Match with %s', async (_name, tag, status) => {
    expect((await ask('sample/1.0.0', { 'If-None-Match': tag })).status).toBe(status);
  });

  it.each([
    ['bytes=0-99', 0, 99],
    ['bytes=100-', 100, nupkg.length - 1],
    ['bytes=-50', nupkg.length - 50, nupkg.length - 1],
    [`bytes=-${nupkg.length + 1}`, 0, nupkg.length - 1],
    [`bytes=10-${nupkg.length * 2}`, 10, nupkg.length - 1],
  ])('answers Range: %s with that part', async (range, start, end) => {
    const answer = await ask('sample/1.0.0', { Range: range });

    expect([answer.status, answer.headers.get('content-range')]).toEqual([
      206,
      `bytes ${start}-${end}/${nupkg.length}`,
    ]);
    expect((await bytesOf(answer)).equals(nupkg.subarray(start, end + 1))).toBe(true);
  });

  it.each([
    ['several ranges', { Range: 'bytes=0-1,4-5' }],
    ['a range it does not understand', { Range: 'lines=1-2' }],
    ['a malformed range', { Range: 'bytes=x' }],
    ['a range of other bytes than it has', { Range: 'bytes=0-1', 'If-Range': '"x"' }],
  ])('answers %s with the whole', async (_name, headers) => {
    const answer = await ask('sample/1.0.0', headers as Record<string, string>);

    expect([answer.status, (await bytesOf(answer)).length]).toEqual([200, nupkg.length]);
  });

  it('answers a range beyond the end with 416', async () => {
    const answer = await ask('sample/1.0.0', { Range: `bytes=${nupkg.length}-` });

    expect([answer.status, answer.headers.get('content-range')]).toEqual([416, `bytes */${nupkg.length}`]);
  });

  it('counts whole downloads only', async () => {
    const large = makeNupkg({ id: 'counted', files: { 'tools/noise.bin': randomBytes(8_000_000) } });
    await pushNupkg(server, large, server.adminKey);
    await ask('counted/1.0.0', {}, 'HEAD');
    await bytesOf(await ask('counted/1.0.0', { Range: 'bytes=0-9' }));
    await ask('counted/1.0.0', { 'If-None-Match': '*' });
    const brokenOff = openSocket(server.url);
    brokenOff.write('GET /nuget/package/counted/1.0.0 HTTP/1.1\r\nHost: FEED\r\n\r\n');
    await once(brokenOff, 'data');
    brokenOff.destroy();
    await bytesOf(await ask('counted/1.0.0'));

    const { catalog } = server.services;
    let count = 0;
    while (count === 0) {
      // The client may have the last byte before the server knows that it went out.
      await setImmediate();
      await catalog.flush();
      count = (await catalog.find('counted', '1.0.0'))?.versionDownloads ?? -1;
    }
    expect(count).toBe(1);
  });

  it.each([
    ['a large package', { 'tools/noise.bin': randomBytes(1_000_000) }],
    ['a small one, which the response cache sends', {}],
  ])('counts what people install of %s, and only logs what go-win-tools fetched', async (name, files) => {
    const id = name.includes('small') ? 'small' : 'large';
    await pushNupkg(server, makeNupkg({ id, files }), server.adminKey);
    const { catalog, downloads } = server.services;

    for (const client of ['go-win-tools/1.2.3', 'NuGet Core/2.11', 'go-win-tools/0.9.0-dev', 'choco'])
      await bytesOf(await ask(`${id}/1.0.0`, { 'User-Agent': client }));

    let rows = 0;
    while (rows < 4) {
      await setImmediate();
      await downloads.flush();
      rows = (await downloads.list(id)).length;
    }
    await catalog.flush();
    expect((await catalog.find(id, '1.0.0'))?.versionDownloads).toBe(2);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toContain(`gwt_downloads_total{id="${id}"} 2\n`);
  });

  it('answers HTTP/1.0 with Content-Length and the bytes as they are (spec nuget-v2 18.2)', async () => {
    const answer = await sendRaw(
      server.url,
      'GET /nuget/package/sample/1.0.0 HTTP/1.0\r\nHost: FEED\r\nUser-Agent: NuGet Core/2.11\r\n\r\n',
    );

    expect(answer.headers['content-length']).toBe(String(nupkg.length));
    expect(answer.headers).not.toHaveProperty('transfer-encoding');
    expect(answer.body.equals(nupkg)).toBe(true);
  });

  it.each([
    '/nuget',
    '/nuget/$metadata',
    '/nuget/Packages()',
    '/nuget/none',
    '/healthz',
    '/',
    '/api/v1/server',
  ])('never answers HTTP/1.0 in chunks, at %s', async (path) => {
    const answer = await sendRaw(server.url, `GET ${path} HTTP/1.0\r\nHost: FEED\r\n\r\n`);

    expect(answer.headers).not.toHaveProperty('transfer-encoding');
    expect(answer.headers['content-length']).toBe(String(answer.body.length));
  });

  it.each([
    ['sample/9.9.9', 404],
    ['none/1.0.0', 404],
    ['none', 404],
    ['..%2F..%2Fcatalog.db/1.0.0', 400],
    ['sample/..%2F..%2Fcatalog.db', 400],
    ['sample/10..%2F..1.0', 400],
    ['sample%5C..%5Cx/1.0.0', 400],
    ['..%5Ccatalog.db', 400],
    ['a%ZZ/1.0.0', 400],
  ])('answers %s with %i in OData XML', async (path, status) => {
    const answer = await ask(path);

    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      status,
      'application/xml; charset=utf-8',
    ]);
    expect(await answer.text()).toContain('<m:error');
  });
});

describe('a download whose connection breaks under its last bytes', () => {
  it('is not counted, and is logged as cut off', async () => {
    const server = await startTestServer();
    try {
      const nupkg = makeNupkg({ id: 'Sample', files: { 'tools/noise.bin': randomBytes(60_000) } });
      await pushNupkg(server, nupkg, server.adminKey);
      const lines = () =>
        server
          .logged()
          .split('\n')
          .filter((line) => line.includes('"url":"/nuget/package/sample/1.0.0"'))
          .map((line): { isCutOff?: true } => JSON.parse(line));
      const socket = openSocket(server.url);
      socket.on('error', () => undefined);
      socket.pause();
      // Until the system accepts no more of it: the rest then waits in the server.
      for (let before = -1; before !== lines().length; await sleep(250)) {
        before = lines().length;
        socket.write('GET /nuget/package/sample/1.0.0 HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(20));
        await sleep(250);
      }
      const whole = lines().length;
      socket.resetAndDestroy();

      await expect.poll(() => lines().length).toBeGreaterThan(whole);
      expect(lines().map(({ isCutOff = false }, at) => isCutOff === at >= whole)).not.toContain(false);
      await server.services.catalog.flush();
      expect(await server.services.catalog.find('sample', '1.0.0')).toMatchObject({ downloads: whole });
    } finally {
      await server.stop();
    }
  });
});
