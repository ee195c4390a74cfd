import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGitClient } from '../../kit/git.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { makeKey, makeTempDir, pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';
import { heldUploads } from '../api/held-uploads.ts';

const everybody = { steps: [{ percent: 100, hold: '1h', needs: 0 }] };
const agent = { 'User-Agent': 'NuGet Command Line/6.11.0' };

/** Below `/nuget` and `/v3`: what clients ask, and whether a held 1.22.0 shows in the answer to whoever sees it. */
const v2 = [
  "FindPackagesById()?id='delve'&semVerLevel=2.0.0",
  "FindPackagesById()?id='delve'&$filter=IsLatestVersion",
  "Packages()?$filter=tolower(Id) eq 'delve'&$orderby=Version desc",
  "Search()?$filter=IsLatestVersion&searchTerm='delve'&targetFramework=''&includePrerelease=false",
  "GetUpdates()?packageIds='delve'&versions='1.21.0'&includePrerelease=false&includeAllVersions=true",
  "Packages(Id='delve',Version='1.22.0')",
  'package-versions/delve',
];
const counts = [
  "FindPackagesById()/$count?id='delve'",
  "Search()/$count?searchTerm='delve'",
  'Packages()/$count',
];
const v3 = [
  'search?q=delve',
  'autocomplete?id=delve',
  'reg/delve/index.json',
  'reg-semver1/delve/index.json',
  'reg/delve/1.22.0.json',
  'reg/delve/entry/1.22.0.json',
  'flat/delve/index.json',
  'flat/delve/1.22.0/delve.nuspec',
];
const bytes = [
  '/nuget/package/delve/1.22.0',
  '/api/v2/package/delve',
  '/v3/flat/delve/1.22.0/delve.1.22.0.nupkg',
];

describe('addresses of one client', () => {
  let server: TestServer;
  let uploads: ReturnType<typeof heldUploads>;
  let key: string;
  afterEach(() => server.stop());

  async function start(settings: Parameters<typeof startTestServer>[0] = {}): Promise<void> {
    server = await startTestServer(settings);
    key = await makeKey(server, ['push', 'rollout', 'read'], [], 'ann');
    uploads = heldUploads(server, key);
    await pushNupkg(server, makeNupkg({ id: 'delve', version: '1.21.0' }), key);
    for (const version of ['1.22.0', '1.22.0.1-beta.1', '1.22.0.1']) await uploads.whole(version);
    const order = { tool: 'delve', version: '1.22.0', plan: everybody };
    expect((await uploads.call('POST', '/rollouts', undefined, order))[0]).toBe(201);
  }

  async function makeLimitedKey(clients: readonly string[]): Promise<string> {
    const made = await fetch(`${server.url}/api/v1/keys`, {
      method: 'POST',
      headers: { 'X-NuGet-ApiKey': server.adminKey, 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: 'build', scopes: ['read'], clients }),
    });
    return ((await made.json()) as { key: string }).key;
  }

  const act = (name: string) => uploads.call('POST', `/rollouts/1/${name}`);
  const at = (path: string, client?: string): string =>
    `${server.url}${client === undefined ? path : path.replace(/^\/(nuget|api\/v2|v3)/, `$&/c/${client}`)}`;
  const get = (path: string, client?: string, headers: Record<string, string> = {}, method = 'GET') =>
    fetch(at(path, client), { method, headers: { ...agent, ...headers }, redirect: 'manual' });
  const textOf = async (path: string, client?: string): Promise<string> => (await get(path, client)).text();
  /** As it would be at the addresses for everybody. */
  const asPlain = (text: string, client = ''): string =>
    text.replaceAll(`/c/${client}`, '').replace(/[0-9a-f-]{36}/g, 'request');
  const all = [
    ...v2.map((one) => `/nuget/${one}`),
    ...v2.map((one) => `/api/v2/${one}`),
    ...v3.map((one) => `/v3/${one}`),
  ];

  describe('without keys', () => {
    beforeEach(() => start());

    it('show a held version to those who are in, and to nobody else, from the cache too', async () => {
      await get('/nuget/', 'pc-in');
      await act('halt');
      for (const path of [...all, ...all]) {
        const [inside, outside, plain] = [
          await get(path, 'pc-in'),
          await get(path, 'pc-out'),
          await get(path),
        ];
        const [seen, other, everybodys] = [await inside.text(), await outside.text(), await plain.text()];

        expect([path, inside.status]).toEqual([path, 200]);
        expect([path, seen]).toEqual([path, expect.stringContaining('1.22.0')]);
        expect([path, outside.status, asPlain(other, 'pc-out')]).toEqual([
          path,
          plain.status,
          asPlain(everybodys),
        ]);
        if (plain.status === 200)
          expect([path, everybodys]).toEqual([path, expect.not.stringContaining('1.22.0')]);
        else expect([path, plain.status]).toEqual([path, 404]);
        // What the one who is in knows opens nothing for others.
        const etag = inside.headers.get('etag') ?? '"none"';
        const asked = [
          await get(path, 'pc-out', { 'If-None-Match': etag }),
          await get(path, undefined, { 'If-None-Match': etag }),
        ];
        expect([path, ...asked.map(({ status }) => status)]).toEqual([path, plain.status, plain.status]);
        const [head, headOutside] = [
          await get(path, 'pc-in', {}, 'HEAD'),
          await get(path, 'pc-out', {}, 'HEAD'),
        ];
        expect([path, head.status, headOutside.status]).toEqual([path, 200, plain.status]);
        expect([path, head.headers.get('content-length')]).toEqual([
          path,
          inside.headers.get('content-length'),
        ]);
        if (plain.status === 200)
          expect(headOutside.headers.get('content-length')).toBe(outside.headers.get('content-length'));
      }
      for (const path of counts.map((one) => `/nuget/${one}`)) {
        const answers = [await textOf(path, 'pc-in'), await textOf(path, 'pc-out'), await textOf(path)];
        expect([path, Number(answers[0]) > Number(answers[2]), answers[1]]).toEqual([path, true, answers[2]]);
      }
      for (const path of [...bytes, ...bytes]) {
        const [inside, outside, plain] = [
          await get(path, 'pc-in'),
          await get(path, 'pc-out'),
          await get(path),
        ];
        expect([path, inside.status, outside.status]).toEqual([path, 200, plain.status]);
        expect(plain.status).toBe(path.endsWith('/delve') ? 200 : 404);
        expect(inside.headers.get('cache-control')).toContain('private');
      }
      for (const path of ['/packages/delve', '/?q=delve', '/m/delve.json', '/metrics']) {
        expect([path, await textOf(path)]).toEqual([path, expect.not.stringContaining('delve/1.22.0')]);
      }
    });

    it('are the only ones in their own answers, and pages for people are everybody’s', async () => {
      for (const path of [...all, '/nuget/', '/v3/index.json', ...bytes.slice(0, 0)]) {
        const text = await textOf(path, 'PC-7');
        const own = [...text.matchAll(new RegExp(`${server.url}/[^"'<>\\s]*`, 'g'))].map(
          ([address]) => address,
        );
        const others = own.filter(
          (one) => !/\/(nuget|api\/v2|v3)\/c\/pc-7(\/|$)/.test(one) && !one.includes('/packages/'),
        );
        expect([path, others]).toEqual([path, []]);
        expect(text).not.toContain('go-win-tools-client');
      }
      const index = await textOf('/v3/index.json', 'pc-7');
      expect(index).toContain(`${server.url}/nuget/c/pc-7"`);
      expect(index).not.toContain('PackagePublish');
      const redirect = await get("/nuget/Packages(Id='delve',Version='1.22.0')/$value", 'pc-7');
      expect(redirect.headers.get('location')).toBe(`${server.url}/nuget/c/pc-7/package/delve/1.22.0`);
    });

    it.each(['%zz', '%c3%28', '%'])('are at no id %s', async (id) => {
      for (const path of [`/nuget/c/${id}/Packages()`, `/api/v2/c/${id}/`, `/v3/c/${id}/index.json`]) {
        const answer = await fetch(`${server.url}${path}`);
        expect([path, answer.status, await answer.text()]).toEqual([
          path,
          400,
          expect.stringContaining('is no client id'),
        ]);
      }
    });

    it('admit nobody at a HEAD, which shows what a GET has made of it', async () => {
      const counts = async () => (await uploads.call('GET', '/rollouts/1'))[1];
      const statusOf = async (path: string) =>
        (await fetch(`${server.url}${path}`, { method: 'HEAD' })).status;
      const paths = [
        '/nuget/c/pc-1/package/delve/1.22.0',
        "/nuget/c/pc-1/Packages(Id='delve',Version='1.22.0')",
        '/v3/c/pc-1/flat/delve/1.22.0/delve.nuspec',
        '/m/c/pc-1/delve.json',
      ];
      const git = '/git/c/pc-1/go-win-tools.git/info/refs?service=git-upload-pack';

      for (const path of [...paths, ...paths]) expect([path, await statusOf(path)]).toEqual([path, 404]);
      expect(await statusOf(git)).toBe(200);
      expect(await counts()).toMatchObject({ counts: { admitted: 0, received: 0 } });
      await get('/nuget/', 'pc-1');
      for (const path of [...paths, ...paths]) expect([path, await statusOf(path)]).toEqual([path, 200]);
      expect(await statusOf(git)).toBe(200);
      expect(await counts()).toMatchObject({ counts: { admitted: 1, received: 0 } });
    });

    it('count who has received the version, by its download alone', async () => {
      await get('/nuget/', 'pc-1');
      await (await get('/nuget/package/delve/1.21.0', 'pc-1')).arrayBuffer();
      expect(await uploads.call('GET', '/rollouts/1')).toMatchObject([
        200,
        { counts: { admitted: 1, received: 0 } },
      ]);
      for (const [client, path] of [
        ['pc-1', bytes[0]],
        ['pc-2', bytes[2]],
      ] as const) {
        await (await get(path ?? '', client)).arrayBuffer();
      }

      await expect
        .poll(async () => (await uploads.call('GET', '/rollouts/1'))[1])
        .toMatchObject({ counts: { admitted: 2, received: 2 } });
    });

    it('go back to the last good bytes at a rollback, with what was published for everybody at the end', async () => {
      const newest = async (client?: string) =>
        /"version":"([^"]+)"/.exec(await textOf('/v3/search?q=delve', client))?.[1];
      await get('/nuget/', 'pc-in');
      expect([await newest('pc-in'), await newest()]).toEqual(['1.22.0', '1.21.0']);
      expect((await act('rollback'))[0]).toBe(200);

      expect([await newest('pc-in'), await newest('pc-out'), await newest()]).toEqual([
        '1.22.0.1',
        '1.21.0',
        '1.21.0',
      ]);
      expect((await get(bytes[0] ?? '', 'pc-in')).status).toBe(200);
      expect((await get(bytes[0] ?? '', 'pc-out')).status).toBe(404);
      await pushNupkg(server, makeNupkg({ id: 'delve', version: '1.23.0' }), key);
      expect([await newest('pc-in'), await newest('pc-out')]).toEqual(['1.23.0', '1.23.0']);
      expect((await get(bytes[0] ?? '', 'pc-in')).status).toBe(404);
    });

    it('admit nobody else once a halt is answered, however many ask just then', async () => {
      const asks = [
        (id: string) => get('/nuget/package-versions/delve', id),
        (id: string) => get('/v3/flat/delve/index.json', id),
        (id: string) => fetch(`${server.url}/m/c/${id}/delve.json`),
        (id: string) => fetch(`${server.url}/git/c/${id}/go-win-tools.git/info/refs?service=git-upload-pack`),
      ];
      const admitted = async () =>
        ((await uploads.call('GET', '/rollouts/1'))[1] as { counts: { admitted: number } }).counts.admitted;
      const askAll = (name: string) =>
        Array.from({ length: 24 }, async (_, n) => {
          const answer = await asks[n % asks.length]?.(`${name}-${n}`);
          return (await answer?.text()) ?? '';
        });
      await get('/nuget/', 'pc-1');
      const before = askAll('before');
      const halting = act('halt');
      const during = askAll('during');
      expect((await halting)[0]).toBe(200);
      const atHalt = await admitted();
      const after = await Promise.all(askAll('after'));
      await Promise.all([...before, ...during]);

      expect(after.filter((text) => text.includes('1.22.0'))).toEqual([]);
      expect(after.filter((text) => text === '')).toEqual([]);
      expect(await admitted()).toBe(atHalt);
      expect(await (await get('/v3/flat/delve/index.json', 'pc-1')).text()).toContain('1.22.0');
    });

    it('are for reading, by ids of letters, digits, dots, dashes and underscores', async () => {
      const nupkg = makeNupkg({ id: 'delve', version: '1.30.0' });

      expect((await pushNupkg(server, nupkg, key, '/nuget/c/pc-1/')).status).toBe(405);
      expect((await get('/nuget/', 'pc-1', { 'X-NuGet-ApiKey': key }, 'DELETE')).status).not.toBe(200);
      for (const odd of ['-pc', 'pc~1', 'p'.repeat(65), 'pc%0a1', '%2e%2e%2fpc']) {
        const answer = await get('/nuget/Packages', odd);
        expect([odd, answer.status]).toEqual([odd, 400]);
      }
      expect((await uploads.call('GET', '/rollouts/1'))[1]).toMatchObject({ counts: { admitted: 0 } });
    });

    it('have a label of their own kind in the log, and no label for each id in the metrics', async () => {
      await get(bytes[0] ?? '', 'pc-1');
      await get('/nuget/Packages?note=a/b&password=open', 'pc-1');
      await get('/nuget/Packages?note=a/b&password=open', 'PC-10');

      const places = () =>
        server
          .logged()
          .split('\n')
          .filter((line) => /\/nuget\/c\/pc-1/i.test(line))
          .map((line) => JSON.parse(line) as { route: string; url: string })
          .map(({ route, url }) => `${route} ${url}`)
          .toSorted();
      await expect
        .poll(places)
        .toEqual([
          'feed /nuget/c/PC-10/Packages?note=a/b&password=[redacted]',
          'feed /nuget/c/pc-1/Packages?note=a/b&password=[redacted]',
          expect.stringContaining('package /nuget/c/pc-1/package/'),
        ]);
      expect(await textOf('/metrics')).not.toMatch(/pc-1/i);
    });
  });

  it('need a key that may read as this client where READ_AUTH is set, and admit nobody without', async () => {
    await start({ readAuth: 'feed' });
    const build = await makeLimitedKey(['build-*']);
    const status = async (client: string, headers = {}) =>
      (await get('/nuget/Packages', client, headers)).status;

    expect((await get('/v3/index.json', 'build-1')).status).toBe(200);
    expect([await status('build-1'), await status('build-1', { 'X-NuGet-ApiKey': 'wrong' })]).toEqual([
      401, 403,
    ]);
    for (const id of ['pc-1', 'pc%2D1', 'BUILD', 'xbuild-1']) {
      const refused = await get('/nuget/Packages', id, { 'X-NuGet-ApiKey': build });
      expect([id, refused.status]).toEqual([id, 403]);
    }
    expect((await uploads.call('GET', '/rollouts/1'))[1]).toMatchObject({ counts: { admitted: 0 } });
    expect(await status('BUILD-1', { 'X-NuGet-ApiKey': build })).toBe(200);
    expect((await uploads.call('GET', '/rollouts/1'))[1]).toMatchObject({ counts: { admitted: 1 } });
  });

  it.each(['feed', 'all'] as const)(
    'need such a key for the bucket too where READ_AUTH is %s, which stays as it was for everybody',
    async (readAuth) => {
      await start({ readAuth });
      const limited = await makeLimitedKey(['build-*']);
      const dir = await makeTempDir();
      const heads = async (address: string, secret?: string) => {
        const git = await createGitClient(dir, secret);
        return git.try(dir, 'ls-remote', `${server.url}/git/${address}/go-win-tools.git`);
      };
      const admitted = async () => {
        const [, rollout] = await uploads.call('GET', '/rollouts/1');
        return (rollout as { counts: { admitted: number } }).counts.admitted;
      };

      for (const [address, secret, status] of [
        ['c/build-1', undefined, 'could not read Username'],
        ['c/build-1', 'wrong', '403'],
        ['c/pc-1', limited, '403'],
        ['c/xbuild-1', limited, '403'],
      ] as const) {
        const { code, stderr } = await heads(address, secret);
        expect([address, code, stderr]).toEqual([address, 128, expect.stringContaining(status)]);
      }
      expect(await admitted()).toBe(0);
      const plain = await Promise.all([heads('main'), heads('beta'), heads('main', limited)]);
      expect(plain.map(({ code }) => code)).toEqual(readAuth === 'feed' ? [0, 0, 0] : [128, 128, 0]);
      expect(await admitted()).toBe(0);
      const mine = await heads('c/BUILD-1', limited);
      expect(mine.stdout).toMatch(/^([0-9a-f]{40})\tHEAD\n\1\trefs\/heads\/main\n$/);
      expect(await admitted()).toBe(1);
    },
  );

  it.each([undefined, 'feed', 'all'] as const)(
    'name no held version on any page to whoever may not read it, where READ_AUTH is %s',
    async (readAuth) => {
      await start(readAuth && { readAuth });
      const keys = {
        none: undefined,
        wrong: 'wrong-wrong-wrong',
        pusher: await makeKey(server, ['push']),
        other: await makeKey(server, ['read'], ['buf']),
        own: await makeKey(server, ['read'], ['delve']),
        reader: await makeKey(server, ['read']),
      };
      const seen = async (path: string, secret: string | undefined) => {
        const headers = secret === undefined ? {} : { Authorization: `Basic ${btoa(`me:${secret}`)}` };
        const answer = await fetch(`${server.url}${path}`, { headers: { Accept: 'text/html', ...headers } });
        return `${answer.status} ${(await answer.text()).includes('1.22.0')}`;
      };

      for (const [who, secret] of Object.entries(keys)) {
        const may = readAuth === undefined || ['own', 'reader'].includes(who);
        const isReader = may || who === 'other';
        const refusal = who === 'pusher' ? 403 : 401;
        const all = isReader || readAuth !== 'all' ? `200 ${may}` : `${refusal} false`;
        const answers = [];
        for (const path of ['/rollouts', '/rollouts/1', '/packages/delve', '/metrics', '/']) {
          answers.push(await seen(path, secret));
        }
        expect([who, ...answers]).toEqual([
          who,
          isReader ? `200 ${may}` : `${refusal} false`,
          may ? '200 true' : isReader ? '403 false' : `${refusal} false`,
          all,
          all,
          all.replace('true', 'false'),
        ]);
      }
      const metrics = await fetch(`${server.url}/metrics`, { headers: { 'X-NuGet-ApiKey': keys.other } });
      const which = readAuth === undefined ? 'version="1.22.0"' : 'rollout="1"';
      expect(await metrics.text()).toContain(`gwt_rollout_step{tool="delve",${which}} 1\n`);
    },
  );

  it.each(['feed', 'all'] as const)(
    'are halted by the form of the page with a key for that alone, where READ_AUTH is %s',
    async (readAuth) => {
      await start({ readAuth });
      const halt = (key: string, headers: Record<string, string> = {}) =>
        fetch(`${server.url}/rollouts/1/halt`, {
          ...{ method: 'POST', redirect: 'manual', headers: { Origin: server.url, ...headers } },
          body: new URLSearchParams({ key, reason: 'errors' }),
        });
      const [reader, stopper] = [await makeKey(server, ['read']), await makeKey(server, ['rollout'])];

      expect((await halt(reader)).status).toBe(403);
      const halted = await halt(stopper);
      expect([halted.status, halted.headers.get('cache-control')]).toEqual([200, 'no-store']);
      expect(await halted.text()).toContain('halted');
      // who has signed in for reading gets the page by its own address
      await act('resume');
      const again = await halt(stopper, { Authorization: `Basic ${btoa(`me:${reader}`)}` });
      expect([again.status, again.headers.get('location')]).toEqual([303, '../1']);
      expect((await fetch(`${server.url}/rollouts/1/halt`)).status).toBe(401);
    },
  );

  it('are for clients that a ring names where CLIENTS is known', async () => {
    await start({ clients: 'known' });
    expect((await get('/nuget/Packages', 'pc-1')).status).toBe(403);
    await server.services.rings.set(
      { name: 'canary', globs: ['pc-*'] },
      { keyId: 'k', keyName: 'k', from: 'here' },
    );

    expect((await get('/nuget/Packages', 'PC-1')).status).toBe(200);
    expect((await get('/nuget/Packages', 'mac-1')).status).toBe(403);
    expect((await get('/v3/index.json', 'mac-1')).status).toBe(403);
  });
});
