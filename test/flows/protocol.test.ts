import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { makeNupkg } from '../kit/nupkg.ts';
import { pushNupkg, startTestServer, type TestServer } from '../kit/test-server.ts';
import { sendRaw } from '../wire/raw-http.ts';

/** What spec nuget-v2 asks of several routes at once; docs/protocol.md says where the rest is shown. */
describe('the protocol, whichever route is asked', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
    for (const [id, version] of [
      ['Casing.Tool', '1.0.0'],
      ['casing.tool', '1.1.0-beta1'],
      ['CASING.TOOL', '1.2.0-beta.2'],
      ['other', '1.0'],
      ['other', '2.0.0'],
    ] as const) {
      expect((await pushNupkg(server, makeNupkg({ id, version }), server.adminKey)).status).toBe(201);
    }
  });
  afterAll(() => server.stop());

  const get = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(server.url + path, { headers, redirect: 'manual' });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };
  const feedPaths = [
    '/nuget',
    '/nuget/',
    '/nuget/$metadata',
    '/nuget/Packages',
    '/nuget/Packages()/$count',
    "/nuget/Packages(Id='other',Version='1.0.0')",
    "/nuget/Search()?searchTerm='other'",
    "/nuget/FindPackagesById()?id='other'",
    "/nuget/GetUpdates()?packageIds='other'&versions='1.0'",
  ];

  it.each([
    '/nuget/package/other/1.0',
    '/nuget/package/other',
    '/nuget/none',
    "/nuget/Packages()?$filter=x'",
    // The probe of a push to the site root (spec nuget-v2 18.2).
    '/',
    ...feedPaths,
  ])('answers HTTP/1.0 whole and with its length: %s (2.3, 18.2)', async (path) => {
    const answer = await sendRaw(server.url, `GET ${path} HTTP/1.0`, {
      Host: 'feed',
      'User-Agent': 'NuGet/0.10.15.0',
    });

    expect(answer.headers.has('transfer-encoding')).toBe(false);
    expect(answer.headers.get('content-length')).toBe(String(answer.bodyBytes));
    expect(answer.bodyBytes).toBeGreaterThan(0);
    // The root leads NuGet clients on to the feed (18.3).
    expect(path === '/' ? answer.status : 302).toBe(302);
  });

  it.each(feedPaths)('announces no OData above 2.0, whatever the client accepts: %s (2.3)', async (path) => {
    const { status, headers } = await get(path, { MaxDataServiceVersion: '3.0;NetFx' });

    expect([status, headers.get('dataserviceversion')]).toEqual([200, '2.0;']);
  });

  it.each(feedPaths)('ignores Accept and unknown parameters: %s (8; 15, trap 20)', async (path) => {
    const plain = await get(path);
    const odd = await get(`${path}${path.includes('?') ? '&' : '?'}hijack=false&packageSource=x`, {
      Accept: 'image/png',
    });

    expect(odd.status).toBe(200);
    expect(odd.text).toBe(plain.text);
  });

  it('shows an id in the casing of its first push, over v2, v3 and on its page (12.5)', async () => {
    const answers = [
      await get("/nuget/FindPackagesById()?id='casing.tool'&semVerLevel=2.0.0"),
      await get("/nuget/Packages(Id='CASING.tool',Version='1.2.0-beta.2')"),
      await get('/v3/search?q=casing&prerelease=true&semVerLevel=2.0.0'),
      await get('/v3/reg/casing.tool/index.json'),
      await get('/packages/CASING.tool'),
    ];

    for (const { status, text } of answers) {
      expect(status).toBe(200);
      expect(text).toContain('Casing.Tool');
    }
    const shown = answers
      .slice(0, 4)
      .flatMap(({ text }) => [
        ...[...text.matchAll(/<d:Id>(.*?)</g)].map(([, id]) => id),
        ...[...text.matchAll(/"id":"(.*?)"/g)].map(([, id]) => id),
      ]);
    expect(shown.length).toBeGreaterThanOrEqual(4);
    expect(new Set(shown)).toEqual(new Set(['Casing.Tool']));
  });

  // spec nuget-v2 section 1, point 7; 12.4
  it.each([
    ['IsLatestVersion', '', ['Casing.Tool 1.0.0', 'other 2.0.0']],
    ['IsLatestVersion', '&semVerLevel=2.0.0', ['Casing.Tool 1.0.0', 'other 2.0.0']],
    ['IsAbsoluteLatestVersion', '', ['Casing.Tool 1.1.0-beta1', 'other 2.0.0']],
    ['IsAbsoluteLatestVersion', '&semVerLevel=2.0.0', ['Casing.Tool 1.2.0-beta.2', 'other 2.0.0']],
  ])('has one row per id for %s%s, in every collection', async (flag, level, packages) => {
    const query = `$filter=${flag}${level}`;
    const asked = [
      `/nuget/Packages()?${query}`,
      `/nuget/Search()?${query}&searchTerm=''&includePrerelease=true`,
    ];

    for (const path of asked) {
      const { text } = await get(path);
      const ids = [...text.matchAll(/<d:Id>(.*?)</g)].map(([, id]) => id);
      const versions = [...text.matchAll(/<d:Version>(.*?)</g)].map(([, version]) => version);
      expect(ids.map((id, index) => `${id} ${versions[index]}`)).toEqual(packages);
    }
    const each = await Promise.all(
      ['casing.tool', 'other'].map((id) =>
        get(`/nuget/FindPackagesById()?id='${id}'&$filter=${flag}${level}`),
      ),
    );
    expect(
      each.flatMap(({ text }) => [...text.matchAll(/<d:Version>(.*?)</g)].map(([, version]) => version)),
    ).toEqual(packages.map((name) => name.split(' ')[1]));
  });

  it.each([
    ['DELETE', '/nuget', 405],
    ['DELETE', '/api/v2/', 405],
    ['POST', '/nuget/Packages()', 405],
    ['POST', '/nuget/$batch', 404],
    ['PUT', '/nuget/symbolpackage', 404],
    ['PUT', '/api/v2/symbolpackage/', 404],
    ['PUT', '/v3/publish/symbolpackage', 404],
    ['GET', '/nuget/package/', 404],
    ['GET', '/nuget/NoSuchFunction()', 404],
  ])(
    'answers %s %s with %d and a sentence instead of a page (3, 9.9, 10.5)',
    async (method, path, status) => {
      const answer = await fetch(server.url + path, {
        method,
        headers: { 'X-NuGet-ApiKey': server.adminKey },
      });

      expect(answer.status).toBe(status);
      expect(answer.headers.get('content-type')).not.toMatch(/html/);
      expect(await answer.text()).toContain(answer.statusText.replace(/&.*/, ''));
    },
  );

  // Nobody waits longer than that: counts are written after 5 s, and a kept answer is good for 20 s without them.
  it('shows a download in an answer that is asked for again and again (18.1)', async () => {
    await pushNupkg(server, makeNupkg({ id: 'counted' }), server.adminKey);
    const count = async () =>
      Number(
        /<d:DownloadCount [^>]*>(\d+)</.exec((await get("/nuget/FindPackagesById()?id='counted'")).text)?.[1],
      );
    expect(await count()).toBe(0);
    await get('/nuget/package/counted/1.0.0');

    // An answer that is kept may show counts of 20 seconds ago: its clock is moved instead of waited for.
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const countLater = () => {
        vi.advanceTimersByTime(21_000);
        return count();
      };
      await expect.poll(countLater, { timeout: 50_000, interval: 100 }).toBe(1);
    } finally {
      vi.useRealTimers();
    }
  });
});
