import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNupkg } from '../../kit/nupkg.ts';
import { adminKey, makeKey, pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';

const feed = [
  '/nuget',
  '/nuget/',
  '//nuget//',
  '/NUGET/$metadata',
  '/nuget/Packages()',
  "/nuget/Packages(Id='kept',Version='1.0.0')",
  '/nuget/package/kept/1.0.0',
  '/api/v2/FindPackagesById()?id=%27kept%27',
  '/api/v2/package/kept',
  '/v3/index.json/kept',
  '/v3/index.jsonx',
  '/v3/search',
  '/v3/registration/kept/index.json',
  '/v3/flat/kept/index.json',
  '/nuget/c/pc-7/Packages()',
  '/m/c/pc-7/kept.json',
  '/git/c/pc-7/go-win-tools.git/info/refs?service=git-upload-pack',
  '/git/c/pc-7/go-win-tools/info/refs?service=git-upload-pack',
  '//git//c/pc-7/go-win-tools.git/info/refs?service=git-upload-pack',
  '/GIT/C/pc-7/go-win-tools.git/info/refs?service=git-upload-pack',
  '/git/c/pc-7/go-win-tools.git/info/refs?service=git-receive-pack&service=git-upload-pack',
  '/git/c',
];
const rest = [
  '/',
  '/packages/kept',
  '/dl/kept/1.0.0/kept-windows-amd64.exe',
  '/git/main/go-win-tools.git/info/refs?service=git-upload-pack',
  '/git/beta/go-win-tools.git/info/refs?service=git-upload-pack',
  // It holds addresses alone.
  '/v3/index.json',
  '/V3//index.json/',
  '/v3/INDEX.json?x=/v3/search',
  '/v3',
  '/v3/',
  '/api/v1/server',
  '/metrics',
  '/METRICS/',
  '/openapi.json',
  '/nowhere',
];
const open = [
  '/healthz',
  '/readyz',
  '/m/kept.json',
  '/install.ps1',
  '/dl/kept/1.0.0/kept-windows-amd64.exe.sha256',
];

describe.each(['feed', 'all'] as const)('READ_AUTH=%s', (readAuth) => {
  let server: TestServer;
  let reader: string;
  beforeAll(async () => {
    server = await startTestServer({ readAuth });
    reader = await makeKey(server, ['read']);
    await pushNupkg(server, makeNupkg({ id: 'kept' }), adminKey);
    await fetch(`${server.url}/dl/kept/1.0.0/kept-windows-amd64.exe`, {
      method: 'PUT',
      headers: { 'X-NuGet-ApiKey': adminKey },
      body: 'MZ',
    });
  });
  afterAll(() => server.stop());

  const covered = readAuth === 'feed' ? feed : [...feed, ...rest];
  const uncovered = readAuth === 'feed' ? [...rest, ...open] : open;
  const ask = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${server.url}${path}`, { headers });

  it.each(covered)('asks for a key at %s', async (path) => {
    const bare = await ask(path);
    expect(bare.status).toBe(401);
    expect(bare.headers.get('www-authenticate')).toMatch(/^Basic realm=/);
    expect((await fetch(`${server.url}${path}`, { method: 'HEAD' })).status).toBe(401);
    expect((await ask(path, { Authorization: `Basic ${btoa(`anybody:${reader}`)}` })).status).not.toBe(401);
    expect((await ask(path, { Authorization: `Basic ${btoa('anybody:wrong')}` })).status).toBe(401);
    expect((await ask(path, { 'X-NuGet-ApiKey': 'wrong' })).status).toBe(403);
  });

  it.each(uncovered)('requires none at %s', async (path) => {
    expect([401, 403]).not.toContain((await ask(path)).status);
    expect([401, 403]).not.toContain((await ask(path, { Authorization: `Basic ${btoa('a:wrong')}` })).status);
  });

  it.each([...feed, ...rest, ...open])(
    'answers alike from the cache and from Express, at %s',
    async (path) => {
      const bare: Record<string, string>[] = [{}, { Authorization: 'Basic Og==' }];
      const keys = [
        `Basic ${btoa(`anybody:${reader}`)}`,
        `Basic ${btoa('anybody:wrong')}`,
        `Bearer ${reader}`,
      ];
      for (const headers of [...bare, ...keys.map((Authorization) => ({ Authorization }))]) {
        const [plain, again] = [await ask(path, headers), await ask(path, headers)];
        // What the response cache leaves to Express (response-cache.ts).
        const general = await ask(path, { ...headers, 'If-Modified-Since': 'Thu, 01 Jan 1970 00:00:00 GMT' });
        expect([plain.status, again.status]).toEqual([general.status, general.status]);
      }
    },
  );

  it('counts as reading what is sent to no form of a rollout', async () => {
    const { status } = await fetch(`${server.url}/rollouts/1/approve`, { method: 'POST' });

    expect(status).toBe(401);
  });

  it("answers in the client's format", async () => {
    expect(await (await ask('/nuget/Packages()')).text()).toContain('<m:code>KEY_MISSING</m:code>');
  });

  it('lets push keys push, but not read', async () => {
    const pusher = await makeKey(server, ['push']);

    expect((await pushNupkg(server, makeNupkg({ id: 'pushed' }), pusher)).status).toBe(201);
    const answer = await ask('/nuget/package/pushed/1.0.0', { 'X-NuGet-ApiKey': pusher });
    expect([answer.status, answer.statusText]).toEqual([
      403,
      'The specified API key does not have the scope read for pushed. Use a key that has it, or ask the administrator of this feed for one (feed:keys add --scope read).',
    ]);
  });

  it('limits a key with ids to the packages it names', async () => {
    const limited = { 'X-NuGet-ApiKey': await makeKey(server, ['read'], ['other*']) };

    expect((await ask('/nuget/package/kept/1.0.0', limited)).status).toBe(403);
    expect((await ask('/nuget/package/other/1.0.0', limited)).status).toBe(404);
    for (const spelling of ['k%65pt', 'KEPT', '%6Bept']) {
      expect((await ask(`/nuget/package/${spelling}/1.0.0`, limited)).status).toBe(403);
    }
    expect((await ask('/nuget/package/%6Fther%/1.0.0', limited)).status).toBe(403);
  });

  it('limits a key with ids to the manifests of these tools for a client', async () => {
    const limited = { 'X-NuGet-ApiKey': await makeKey(server, ['read'], ['other*']) };
    const statusOf = async (address: string) => (await ask(address, limited)).status;

    for (const file of ['kept.json', 'KEPT.json', 'k%65pt.json', 'kept%2Ejson', 'kept.json/']) {
      expect([file, await statusOf(`/m/c/pc-7/${file}`)]).toEqual([file, 403]);
    }
    expect([await statusOf('//m//C/pc-7/kept.json'), await statusOf('/m/c/%70c-7/kept.json')]).toEqual([
      403, 403,
    ]);
    expect(await statusOf('/m/c/pc-7/other.json')).toBe(404);
  });

  it('tells every key what it may do, and nobody without one', async () => {
    const pusher = await makeKey(server, ['push:beta']);
    const answer = await ask('/api/v1/key', { 'X-NuGet-ApiKey': pusher });

    expect([answer.status, await answer.json()]).toEqual([
      200,
      expect.objectContaining({ scopes: ['push:beta'] }),
    ]);
    expect((await ask('/api/v1/key')).status).toBe(401);
    expect((await ask('/api/v1/key', { 'X-NuGet-ApiKey': 'wrong' })).status).toBe(403);
  });

  it('keeps answers out of shared caches', async () => {
    const answer = await ask('/nuget/package/kept/1.0.0', { 'X-NuGet-ApiKey': reader });

    expect(answer.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
  });
});

describe('keys with a password in another encoding', () => {
  it.each(['utf8', 'latin1'] as const)('are understood in %s (spec nuget-v2 2.4)', async (encoding) => {
    const server = await startTestServer({ readAuth: 'feed', adminApiKey: 'schlüssel-größe' });
    const password = Buffer.from('größe:schlüssel-größe', encoding).toString('base64');

    const answer = await fetch(`${server.url}/nuget`, { headers: { Authorization: `Basic ${password}` } });

    expect(answer.status).toBe(200);
    await server.stop();
  });
});

describe('choco push to the v3 address', () => {
  // spec nuget-v2 18.3: an index that needs a key ends in a NullReferenceException of choco.
  it('reads the index without a key under READ_AUTH=feed, then pushes with one', async () => {
    const server = await startTestServer({ readAuth: 'feed' });
    const index = await fetch(`${server.url}/v3/index.json`);
    const { resources } = (await index.json()) as { resources: { '@id': string; '@type': string }[] };
    const publish = resources.find((one) => one['@type'] === 'PackagePublish/2.0.0')?.['@id'] ?? '';

    const answer = await pushNupkg({ url: publish }, makeNupkg({ id: 'over-v3' }), adminKey, '/');

    expect([index.status, answer.status]).toEqual([200, 201]);
    await server.stop();
  });
});

describe('an open server', () => {
  it('serves requests with a wrong password too, and refuses wrong ones without delaying valid ones', async () => {
    const server = await startTestServer();
    const ask = (path: string, key: string) =>
      fetch(`${server.url}${path}`, { headers: { Authorization: `Basic ${btoa(`somebody:${key}`)}` } });

    expect((await ask('/nuget', 'wrong')).status).toBe(200);
    const wrong = await Promise.all(Array.from({ length: 50 }, (_, n) => ask('/api/v1/keys', `wrong ${n}`)));
    expect(wrong.map(({ status }) => status)).toEqual(wrong.map(() => 401));
    const order: string[] = [];
    await Promise.all([
      ask('/api/v1/keys', 'wrong').then(() => order.push('wrong')),
      ask('/api/v1/keys', adminKey).then(({ status }) => order.push(`right ${status}`)),
    ]);
    expect(order).toEqual(['right 200', 'wrong']);
    await server.stop();
  });
});
