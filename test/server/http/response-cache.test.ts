import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RevisionNumbers, Revisions } from '../../../server/catalog/revisions.ts';
import { createResponseCache } from '../../../server/http/response-cache.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { type RawAnswer, sendRaw } from '../../kit/raw-http.ts';
import { makeKey, pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';

/** As it went over the wire, without what differs between any two requests. */
function comparable({ status, reason, headers, body }: RawAnswer) {
  const { 'x-request-id': id, date: _date, ...rest } = headers;
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  return { status, reason, names: Object.keys(headers), headers: rest, body: body.toString('base64') };
}

function ask(
  server: TestServer,
  path: string,
  headers: readonly string[] = [],
  start = 'GET',
  version = '1.1',
) {
  const lines = [`${start} ${path} HTTP/${version}`, 'Host: x', 'Connection: close', ...headers, '', ''];
  return sendRaw(server.url, lines.join('\r\n'));
}

function linesOf(server: TestServer) {
  return server
    .logged()
    .split('\n')
    .filter((line) => line.includes('"msg":"request"'))
    .map((line): Record<string, unknown> => JSON.parse(line));
}

const paths = [
  '/nuget',
  '/nuget/$metadata',
  '/api/v2/',
  "/nuget/Packages(Id='Sample',Version='1.0.0')",
  "/API/v2/Packages(Id='Sample',Version='1.0')",
  "/nuget//FindPackagesById()?id='sample'&semVerLevel=2.0.0",
  "http://spoofed/nuget/FindPackagesById()?id='sample'",
  "/nuget/FindPackagesById()?id='sample'&apikey=secret",
  "/nuget/Packages()?$filter=(tolower(Id)%20eq%20'sample')%20and%20IsLatestVersion",
  "/nuget/Search()?searchTerm='sample'&$inlinecount=allpages",
  "/nuget/Search()/$count?searchTerm='sample'",
  "/nuget/Packages(Id='Sample',Version='1.0.0')/Version",
  '/nuget/package/sample/1.0.0',
  '/nuget/package/sample',
  '/v3/flat/sample/1.0.0/sample.1.0.0.nupkg',
  '/V3/Flat/SAMPLE/1.0.0/Sample.1.0.0.nupkg',
  '/v3/reg/sample/index.json',
  '/V3/reg-semver1/Sample/index.json',
  '/v3/search?q=sample&prerelease=true',
  '/v3/search?q=nothing',
];
const conditions: readonly (readonly [headers: string[], method?: string, version?: string])[] = [
  [[]],
  [['Accept-Encoding: gzip']],
  [['Accept-Encoding: gzip;q=0']],
  [[], 'HEAD'],
  [['Accept-Encoding: gzip'], 'HEAD'],
  [[], 'GET', '1.0'],
  [['If-None-Match: *']],
  [['If-None-Match: *', 'Cache-Control: no-cache']],
  [['If-None-Match: "x"']],
  [['If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT']],
  [['Range: bytes=0-9']],
  [['X-NuGet-ApiKey: wrong']],
];

/** What the response cache leaves to Express: nobody can tell the difference by the response. */
const asUpload = 'Content-Length: 0';

describe('the response cache', () => {
  let server: TestServer;
  const sample = makeNupkg({ id: 'Sample', files: { 'tools/noise.bin': randomBytes(3000) } });
  beforeAll(async () => {
    server = await startTestServer();
    await pushNupkg(server, sample, server.adminKey);
  });
  afterAll(() => server.stop());

  it.each(paths)('answers %s as Express does, byte for byte', async (path) => {
    for (const [headers, method, version] of conditions) {
      const general = await ask(server, path, [...headers, asUpload], method, version);
      for (let time = 0; time < 3; time += 1) {
        const answer = await ask(server, path, headers, method, version);
        expect(comparable(answer), `${method} ${version} ${headers}`).toEqual(comparable(general));
      }
    }
  });

  it('answers If-None-Match with the ETag it gave', async () => {
    // Nobody downloads this one: a count that is written meanwhile would make another ETag.
    expect((await pushNupkg(server, makeNupkg({ id: 'Still' }), server.adminKey)).status).toBe(201);
    const path = "/nuget/Packages(Id='Still',Version='1.0.0')";
    for (const headers of [[], ['Accept-Encoding: gzip']]) {
      const { etag } = (await ask(server, path, headers)).headers;
      const conditional = [...headers, `If-None-Match: "x", W/${etag}`];
      const general = await ask(server, path, [...conditional, asUpload]);
      expect(general.status).toBe(304);
      expect(comparable(await ask(server, path, conditional))).toEqual(comparable(general));
    }
  });

  it.each([
    ['/nuget/package/none/1.0.0', 404],
    ['/nuget/package/sa%6Dple/1.0.0', 200],
    ["/nuget/Packages(Id='none',Version='1.0.0')", 404],
    ['/nuget/Packages()?$filter=Nonsense', 400],
    ["/nuget/Packages(Id='Sample',Version='1.0.0')/$value", 302],
    ['/nuget/no/such/thing', 404],
    ['/v3/flat/sample/1.0.0/sample.nuspec', 200],
  ])('leaves %s to Express, which answers %i and writes one line', async (path, status) => {
    const before = linesOf(server).length;
    const [cached, general] = [await ask(server, path), await ask(server, path, [asUpload])];
    expect([cached.status, general.status]).toEqual([status, status]);
    expect(Object.keys(cached.headers)).toEqual(Object.keys(general.headers));
    await expect.poll(() => linesOf(server).length).toBe(before + 2);
    expect(linesOf(server).at(-2)).toMatchObject({ requestId: cached.headers['x-request-id'], status });
  });

  it.each(['GET', 'HEAD'])('writes the line of a %s as Express does', async (method) => {
    for (const path of ['/nuget/package/sample/1.0.0', "/nuget/Search()?searchTerm='line'&apikey=secret"]) {
      const agent = `User-Agent: client of ${method}`;
      await ask(server, path, [agent], method);
      const before = linesOf(server).length;
      const answers = [
        await ask(server, path, [agent, asUpload], method),
        await ask(server, path, [agent], method),
      ];
      await expect.poll(() => linesOf(server).length).toBe(before + 2);
      const [general, cached] = linesOf(server).slice(-2);
      const measured = { time: '', ms: 0, requestId: '' };
      expect({ ...cached, ...measured }).toEqual({ ...general, ...measured });
      expect(Object.keys(cached ?? {})).toEqual(Object.keys(general ?? {}));
      expect(cached?.requestId).toBe(answers[1]?.headers['x-request-id']);
      expect(cached?.url).not.toContain('secret');
    }
  });

  it('shows a publication and an unlisting at once', async () => {
    const path = "/nuget/Search()?searchTerm='fresh'&semVerLevel=2.0.0";
    const found = async () => (await ask(server, path)).body.toString().match(/<d:Version>[^<]*/g) ?? [];
    expect([await found(), await found()]).toEqual([[], []]);
    await pushNupkg(server, makeNupkg({ id: 'Fresh', version: '1.0.0' }), server.adminKey);
    expect([await found(), await found()]).toEqual([['<d:Version>1.0.0'], ['<d:Version>1.0.0']]);
    const unlisted = await fetch(`${server.url}/nuget/package/fresh/1.0.0`, {
      method: 'DELETE',
      headers: { 'X-NuGet-ApiKey': server.adminKey },
    });
    expect(unlisted.status).toBe(200);
    expect(await found()).toEqual([]);
  });

  it('counts each download', async () => {
    await pushNupkg(server, makeNupkg({ id: 'Counted', version: '1.0.0' }), server.adminKey);
    for (let time = 0; time < 5; time += 1) await ask(server, '/nuget/package/counted/1.0.0');
    await ask(server, '/nuget/package/counted/1.0.0', [], 'HEAD');
    await server.services.catalog.flush();
    expect(await server.services.catalog.find('counted', '1.0.0')).toMatchObject({ downloads: 5 });
  });
});

describe('the response cache where reading needs a key', () => {
  it('admits those who may read, and nobody else', async () => {
    const server = await startTestServer({ readAuth: 'feed' });
    try {
      await pushNupkg(server, makeNupkg({ id: 'Sample' }), server.adminKey);
      await pushNupkg(server, makeNupkg({ id: 'Other' }), server.adminKey);
      const reader = await makeKey(server, ['read']);
      const limited = await makeKey(server, ['read'], ['other']);
      const pusher = await makeKey(server, ['push']);
      const basic = Buffer.from(`any:${reader}`).toString('base64');
      const shown = [
        [],
        [`X-NuGet-ApiKey: ${reader}`],
        [`Authorization: Basic ${basic}`],
        [`X-NuGet-ApiKey: ${limited}`],
        [`X-NuGet-ApiKey: ${pusher}`],
        ['X-NuGet-ApiKey: wrong'],
        ['Authorization: Basic d3Jvbmc6d3Jvbmc='],
      ];
      for (const path of ['/nuget/package/sample/1.0.0', "/nuget/FindPackagesById()?id='sample'"]) {
        await ask(server, path, [`X-NuGet-ApiKey: ${reader}`]);
        for (const headers of shown) {
          const general = await ask(server, path, [...headers, asUpload]);
          const cached = await ask(server, path, headers);
          const withoutId = (answer: RawAnswer) => ({ ...comparable(answer), body: answer.body.length });
          expect(withoutId(cached), `${path} ${headers}`).toEqual(withoutId(general));
        }
      }
      await expect
        .poll(
          () => linesOf(server).filter(({ keyName, status }) => keyName === 'read' && status === 200).length,
        )
        .toBeGreaterThan(8);
    } finally {
      await server.stop();
    }
  });
});

describe('revisions that are not known from memory', () => {
  /** A cache over one route whose responses are numbered; Express says so when a request comes to it. */
  async function serve(revisions: Revisions) {
    let prepared = 0;
    const cache = createResponseCache(
      {
        routes: [
          {
            mount: '/nuget',
            async prepare() {
              prepared += 1;
              const body = Buffer.from(`prepared ${prepared}`);
              const etag = `"${prepared}"`;
              return { headers: [], etag, body: () => body, about: { kind: 'bytes', id: 'go' } };
            },
          },
        ],
        revisions,
        maxBytes: 8 * 1024 ** 2,
        readAuth: undefined,
        findKey: async () => undefined,
        watch: () => 'request',
        readPeer: () => ({ address: '127.0.0.1', isSecure: false }),
        isStopping: () => false,
        securityHeaders: [],
      },
      (_req, res) => void res.end('express'),
    );
    const server = createServer(cache).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return {
      get: async () => (await fetch(`http://127.0.0.1:${port}/nuget`)).text(),
      close: () => server.close(),
    };
  }
  const numbers = (at: number): RevisionNumbers => ({ all: () => at, packages: () => at });

  it('are read first, so that a change elsewhere makes a cached response stale', async () => {
    let stored = 1;
    const { get, close } = await serve({ known: () => undefined, read: async () => numbers(stored) });
    const before = [await get(), await get()];

    stored += 1;

    expect([...before, await get()]).toEqual(['prepared 1', 'prepared 1', 'prepared 2']);
    close();
  });

  it('leave the request to Express when they cannot be read', async () => {
    const { get, close } = await serve({
      known: () => undefined,
      read: () => Promise.reject(new Error('no database')),
    });

    expect(await get()).toBe('express');
    close();
  });
});
