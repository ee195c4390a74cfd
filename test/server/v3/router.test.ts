import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Body, joinBody } from '../../../server/http/body.ts';
import { v3Links } from '../../../server/v3/links.ts';
import { readParameters } from '../../../server/v3/parameters.ts';
import { search } from '../../../server/v3/search.ts';
import { makePackage } from '../../kit/new-package.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { adminKey, makeKey, pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';
import { sendRaw } from '../../wire/raw-http.ts';

const publicUrl = 'https://feed.corp/go';
const operator = { keyId: 'test', keyName: 'test', from: 'this machine' };
const mixedPackage = makeNupkg({
  id: 'Mixed',
  version: '1.0',
  // Larger than a block that is read at once.
  files: { 'tools/noise.bin': randomBytes(200_000) },
});
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ publicUrl });
  await push(server, mixedPackage);
  for (const version of ['2.0.0-alpha', '2.0.0', '2.0.1-Alpha.1+build.7', '3.0.0']) {
    await push(server, makeNupkg({ id: 'mixed', version }));
  }
  await unlist(server, 'mixed', '3.0.0');
  await push(server, makeNupkg({ id: 'only.new', version: '1.0.0-beta.1' }));
  await push(server, makeNupkg({ id: 'mixer', metadata: { description: 'Needs mixed.', tags: 'Go' } }));
  for (let patch = 0; patch < 300; patch++) {
    await server.services.catalog.add(makePackage({ id: 'Many', version: `1.0.${patch}` }), operator);
  }
});
afterAll(() => server.stop());

async function push(to: TestServer, nupkg: Buffer): Promise<void> {
  expect((await pushNupkg(to, nupkg, adminKey)).status).toBe(201);
}

async function unlist(at: TestServer, id: string, version: string, key = adminKey): Promise<void> {
  const headers = { 'X-NuGet-ApiKey': key };
  const answer = await fetch(`${at.url}/v3/publish/${id}/${version}`, { method: 'DELETE', headers });
  expect(answer.status).toBe(200);
}

const ask = (path: string, init: RequestInit = {}) => fetch(`${server.url}${path}`, init);

// biome-ignore lint/suspicious/noExplicitAny: documents are looked into by the tests
async function read(path: string): Promise<any> {
  const answer = await ask(path.startsWith(publicUrl) ? path.slice(publicUrl.length) : path);
  expect(answer.status, path).toBe(200);
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  return answer.json();
}

async function searched(query: string): Promise<string[]> {
  const { data } = await read(`/v3/search?${query}`);
  return data.map(({ id, version }: { id: string; version: string }) => `${id} ${version}`);
}

const parsed = ({ json }: { readonly json: Body }): unknown => JSON.parse(String(joinBody(json)));

describe('the search', () => {
  it.each([
    ['q=mixed', ['Mixed 2.0.0', 'mixer 1.0.0']],
    ['q=mixed&prerelease=true', ['Mixed 2.0.0', 'mixer 1.0.0']],
    ['q=mixed&prerelease=true&semVerLevel=2.0.0', ['Mixed 2.0.1-Alpha.1+build.7', 'mixer 1.0.0']],
    ['q=only.new&prerelease=true', []],
    ['q=only.new&semVerLevel=2.0.0', []],
    ['q=only.new&prerelease=true&semVerLevel=2.0.0', ['only.new 1.0.0-beta.1']],
    ['q=id%3AMIX', ['Mixed 2.0.0', 'mixer 1.0.0']],
    ['q=packageid%3AMIXED', ['Mixed 2.0.0']],
    ['q=mixed+tags:go', ['mixer 1.0.0']],
    ['q=mix&take=1&skip=1', ['mixer 1.0.0']],
    ['q=mix&take=0', []],
    ['q=nothing', []],
    ['take=100', ['Many 1.0.299', 'Mixed 2.0.0', 'mixer 1.0.0']],
  ])('finds for %s', async (query, found) => {
    expect(await searched(query)).toEqual(found);
  });

  it('counts all hits, whatever the page, and shows the versions of each', async () => {
    const { totalHits, data } = await read('/v3/search?q=mix&take=1&prerelease=true&semVerLevel=2.0.0');

    expect(totalHits).toBe(2);
    expect(data[0].versions.map(({ version }: { version: string }) => version)).toEqual([
      '1.0.0',
      '2.0.0-alpha',
      '2.0.0',
      '2.0.1-Alpha.1+build.7',
    ]);
    expect((await read(data[0].registration)).count).toBe(1);
    const leaf = await read(data[0].versions[3]['@id']);
    expect((await read(leaf.catalogEntry)).version).toBe('2.0.1-Alpha.1+build.7');
  });

  it('shares the versions that one answer may show among its hits, the newest of each', async () => {
    const services = { ...server.services, links: v3Links(publicUrl) };
    const found = parsed(
      await search(readParameters('/search?q=packageid:many+packageid:mixer'), services, {
        maxVersions: 8,
      }),
    ) as {
      totalHits: number;
      data: { versions: { version: string }[] }[];
    };

    expect([
      found.totalHits,
      found.data.map(({ versions }) => versions.map(({ version }) => version)),
    ]).toEqual([2, [['1.0.296', '1.0.297', '1.0.298', '1.0.299'], ['1.0.0']]]);
  });

  it.each([
    // Visual Studio's Browse, in a solution with two frameworks; the others as recorded (nuget-protocol.jsonl).
    'q=mixed&skip=0&take=20&prerelease=false&supportedFramework=net10.0&supportedFramework=netstandard2.0&semVerLevel=2.0.0',
    'q=mixed&supportedFramework=.NETFramework%2CVersion%3Dv4.8&supportedFramework=%zz',
    'q=mixed&$select=Id&$select=Version&_=1&_=2&=&&x',
  ])('is not disturbed by unknown parameters: %s', async (query) => {
    expect(await searched(query)).toEqual(['Mixed 2.0.0', 'mixer 1.0.0']);
  });

  it('has a thousand hits at most, whatever is requested, and says how many there are', async () => {
    const big = await startTestServer();
    try {
      const { catalog } = big.services;
      await Promise.all(
        Array.from({ length: 1050 }, (_, at) =>
          catalog.add(makePackage({ id: `big.${String(at).padStart(4, '0')}`, version: '1.0.0' }), operator),
        ),
      );
      const found = async (query: string) => {
        const answer = await fetch(`${big.url}/v3/search?${query}`);
        const { totalHits, data } = (await answer.json()) as { totalHits: number; data: { id: string }[] };
        return [totalHits, data.length, data[0]?.id, data.at(-1)?.id];
      };

      expect(await found('q=&skip=0&take=1000&prerelease=true&semVerLevel=2.0.0')).toEqual([
        1050,
        1000,
        'big.0000',
        'big.0999',
      ]);
      expect(await found('take=2147483647')).toEqual([1050, 1000, 'big.0000', 'big.0999']);
      expect(await found('skip=1000&take=1000')).toEqual([1050, 50, 'big.1000', 'big.1049']);
      expect(await found('skip=1050&take=20')).toEqual([1050, 0, undefined, undefined]);
      expect(await found('skip=2147483647')).toEqual([1050, 0, undefined, undefined]);
    } finally {
      await big.stop();
    }
  });

  it("reads the plus signs of NuGet's own clients as they are, and those of others as blanks", async () => {
    await server.services.catalog.add(
      makePackage({ id: 'cpp.tool', version: '1.0.0-x', tags: ['c++'] }),
      operator,
    );
    const found = async (userAgent: string) => {
      const headers = { 'User-Agent': userAgent };
      const answer = await ask('/v3/search?q=c++&skip=0&take=30&prerelease=true&semVerLevel=2.0.0', {
        headers,
      });
      return ((await answer.json()) as { data: { id: string }[] }).data.map(({ id }) => id);
    };

    expect(await found('Chocolatey Command Line/2.7.3 via NuGet Client/6.4.1 (Unix 6.18.44.595)')).toEqual([
      'cpp.tool',
    ]);
    // `c` and nothing else.
    expect(await found('PSResourceGet/1.1.0.1 PowerShell/7.6.9')).toContain('only.new');
  });

  it('has the publication date of each hit', async () => {
    const { data } = await read('/v3/search?q=packageid:mixer');

    expect(new Date(data[0].published).getTime()).toBeGreaterThan(Date.parse('2020-01-01'));
  });

  it('ends with the hit that makes it too long, and says how many there are', async () => {
    const services = { ...server.services, links: v3Links(publicUrl) };
    const lengths = async (maxBytes: number) => {
      const all = readParameters(
        '/search?q=packageid:mixed+packageid:mixer+packageid:only.new&prerelease=true&semVerLevel=2.0.0',
      );
      const { totalHits, data } = parsed(await search(all, services, { maxBytes })) as {
        totalHits: number;
        data: object[];
      };
      return [totalHits, data.length];
    };

    expect([await lengths(1), await lengths(1000), await lengths(100_000)]).toEqual([
      [3, 1],
      [3, 2],
      [3, 3],
    ]);
  });

  it('counts every text of a hit, not only those that people read', async () => {
    const license = { type: 'expression', text: 'x'.repeat(9000) } as const;
    for (const id of ['long.first', 'long.second'])
      await server.services.catalog.add(makePackage({ id, version: '1.0.0-x', license }), operator);
    const all = readParameters('/search?q=packageid:long.first+packageid:long.second&prerelease=true');
    const services = { ...server.services, links: v3Links(publicUrl) };
    const { totalHits, data } = parsed(await search(all, services, { maxBytes: 8000 })) as {
      totalHits: number;
      data: object[];
    };

    expect([totalHits, data.length]).toEqual([2, 1]);
  });

  it('is the golden file', async () => {
    const document = await read('/v3/search?q=mix&semVerLevel=2.0.0');
    for (const hit of document.data) hit.published = '(today)';

    await expect(`${JSON.stringify(document, null, 2)}\n`).toMatchFileSnapshot('../../golden/v3/search.json');
  });

  it.each(['take=x', 'skip=-1', 'prerelease=maybe', 'q=%zz', 'q=a&q=b', `q=${'a+'.repeat(31)}`])(
    'refuses %s',
    async (query) => {
      const answer = await ask(`/v3/search?${query}`);

      expect(answer.status).toBe(400);
      expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
      expect(await answer.json()).toMatchObject({ code: 'QUERY_INVALID', status: 400 });
    },
  );
});

describe('the completion', () => {
  it.each([
    ['q=MIX', ['Mixed', 'mixer']],
    ['q=mix&take=1', ['Mixed']],
    ['', ['Many', 'Mixed', 'mixer']],
    ['id=MIXED', ['1.0.0', '2.0.0']],
    [
      'id=mixed&prerelease=true&semVerLevel=2.0.0',
      ['1.0.0', '2.0.0-alpha', '2.0.0', '2.0.1-Alpha.1+build.7'],
    ],
    ['id=nobody', []],
    // Those that begin with the text first, each half by name.
    ['q=x', ['Mixed', 'mixer']],
    ['q=m', ['Many', 'Mixed', 'mixer']],
    ['q=m&skip=1&take=1', ['Mixed']],
    ['q=m&take=5000', ['Many', 'Mixed', 'mixer']],
    ['q=m&take=0', []],
    ['q=m&skip=2147483647', []],
    [
      'q=m&prerelease=true&semVerLevel=2.0.0&supportedFramework=a&supportedFramework=b',
      ['Many', 'Mixed', 'mixer'],
    ],
  ])('gives for %j', async (query, data) => {
    expect((await read(`/v3/autocomplete?${query}`)).data).toEqual(data);
  });

  it('has the ids that begin with the text before those that have it elsewhere', async () => {
    for (const id of ['a.wid', 'wider', 'Wid', 'b-wid', 'WIDE', 'wid.get']) {
      await server.services.catalog.add(makePackage({ id, version: '1.0.0-x' }), operator);
    }
    const all = ['Wid', 'wid.get', 'WIDE', 'wider', 'a.wid', 'b-wid'];

    expect(await read('/v3/autocomplete?q=WID&prerelease=true')).toMatchObject({ totalHits: 6, data: all });
    const pages = [0, 2, 4].map((skip) => read(`/v3/autocomplete?q=wid&prerelease=true&skip=${skip}&take=2`));
    expect((await Promise.all(pages)).flatMap(({ data }) => data)).toEqual(all);
  });
});

describe('the registrations', () => {
  it('leave SemVer 2 versions out of the older hive, and keep unlisted ones in both', async () => {
    const versions = async (hive: string) => {
      const { items } = await read(`/v3/${hive}/MIXED/index.json`);
      return items[0].items.map(({ catalogEntry: { version, listed, published } }: never) => [
        version,
        listed,
        String(published).startsWith('1900-01-01'),
      ]);
    };
    const older = [
      ['1.0.0', true, false],
      ['2.0.0-alpha', true, false],
      ['2.0.0', true, false],
    ];
    const unlisted = ['3.0.0', false, true];

    expect(await versions('reg-semver1')).toEqual([...older, unlisted]);
    expect(await versions('reg')).toEqual([...older, ['2.0.1-Alpha.1+build.7', true, false], unlisted]);
    expect((await ask('/v3/reg-semver1/only.new/index.json')).status).toBe(404);
    expect((await ask('/v3/reg-semver1/mixed/2.0.1-alpha.1.json')).status).toBe(404);
  });

  it.each([
    [1, [1]],
    [64, [64]],
    [65, [64, 1]],
    [128, [64, 64]],
    [129, undefined],
  ] as const)('of %d versions have them all in the index, or none', async (count, inline) => {
    const id = `has${count}`;
    for (let patch = 0; patch < count; patch++) {
      await server.services.catalog.add(makePackage({ id, version: `1.0.${patch}-x` }), operator);
    }

    const { items } = await read(`/v3/reg/${id}/index.json`);
    expect(items.map((page: { items?: [] }) => page.items?.length)).toEqual(
      inline ?? Array.from({ length: Math.ceil(count / 64) }),
    );
  });

  it('of 300 versions are five pages, each at its own address', async () => {
    const { count, items } = await read('/v3/reg/many/index.json');

    expect([count, items.map((page: { count: number }) => page.count)]).toEqual([5, [64, 64, 64, 64, 44]]);
    const found: string[] = [];
    for (const { '@id': address, items: inner, lower, upper } of items) {
      expect(inner).toBeUndefined();
      const page = await read(address);
      const versions = page.items.map(
        (leaf: never) => (leaf as { catalogEntry: { version: string } }).catalogEntry.version,
      );
      expect([versions[0], versions.at(-1), page.lower, page.upper]).toEqual([lower, upper, lower, upper]);
      found.push(...versions);
    }
    expect(found).toEqual(Array.from({ length: 300 }, (_, patch) => `1.0.${patch}`));
  });

  it.each([
    // As PackageManagement's Find-Package asked (psresourceget.jsonl): its own spelling of the version.
    ['/v3/reg/mixer/1.0.json', 'reg', 'mixer'],
    ['/v3/reg-semver1/mixed/3.0.0.json', 'reg-semver1', 'Mixed'],
    ['/v3/reg/MIXED/2.0.1-ALPHA.1.json', 'reg', 'Mixed'],
  ])('have leaves whose entry address is the one in the index: %s', async (path, hive, id) => {
    const leaf = await read(path);
    const { items } = await read(`/v3/${hive}/${id.toLowerCase()}/index.json`);
    const inIndex = items[0].items.find((item: { '@id': string }) => item['@id'] === leaf['@id']);

    expect(leaf['@type']).toEqual(['Package', 'http://schema.nuget.org/catalog#Permalink']);
    expect(leaf.catalogEntry).toBe(inIndex.catalogEntry['@id']);
    const { '@context': _, '@type': type, ...entry } = await read(leaf.catalogEntry);
    const { '@type': inline, ...same } = inIndex.catalogEntry;
    expect([type[0], entry]).toEqual([inline, expect.objectContaining(same)]);
    const row = await server.services.catalog.find(id, entry.version);
    expect(entry).toMatchObject({
      id,
      packageSize: row?.sizeBytes,
      packageHash: Buffer.from(row?.sha512 ?? '', 'hex').toString('base64'),
      verbatimVersion: row?.version,
    });
  });

  it.each([
    ['/v3/reg/nobody/index.json', 404],
    ['/v3/reg/mixed/entry/9.9.9.json', 404],
    ['/v3/reg-semver1/mixed/entry/2.0.1-alpha.1.json', 404],
    ['/v3/reg/mixed/entry/nonsense.json', 400],
    ['/v3/reg/mixed/9.9.9.json', 404],
    ['/v3/reg/mixed/page/8.0.0/9.0.0.json', 404],
    ['/v3/reg/many/page/0.0.0/9.0.0.json', 400],
    ['/v3/reg/mixed/page/a/b.json', 400],
    ['/v3/reg/mixed/nonsense.json', 400],
    ['/v3/reg/mixed', 404],
    ['/v3/nowhere', 404],
    ['/v3', 404],
  ])('answer %s with %d', async (path, status) => {
    const answer = await ask(path);

    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      status,
      'application/problem+json; charset=utf-8',
    ]);
  });
});

describe('the flat container', () => {
  it('lists every version, listed or not', async () => {
    expect(await read('/v3/flat/MIXED/index.json')).toEqual({
      versions: ['1.0.0', '2.0.0-alpha', '2.0.0', '2.0.1-alpha.1', '3.0.0'],
    });
    expect((await read('/v3/flat/many/index.json')).versions).toHaveLength(300);
  });

  it('has the package, which counts once it is whole, and its nuspec', async () => {
    const address = '/v3/flat/mixed/1.0.0/mixed.1.0.0.nupkg';
    const { versionDownloads: before = -1 } = (await server.services.catalog.find('mixed', '1.0')) ?? {};
    const whole = await ask(address);
    expect(Buffer.from(await whole.arrayBuffer()).equals(mixedPackage)).toBe(true);
    const etag = `"${createHash('sha256').update(mixedPackage).digest('hex')}"`;
    expect([whole.headers.get('etag'), whole.headers.get('cache-control')]).toEqual([
      etag,
      'public, max-age=31536000, immutable',
    ]);

    const part = await ask(address, { headers: { Range: 'bytes=2-9' } });
    expect([part.status, Buffer.from(await part.arrayBuffer())]).toEqual([206, mixedPackage.subarray(2, 10)]);
    expect((await ask(address, { headers: { 'If-None-Match': etag } })).status).toBe(304);
    const head = await ask(address, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(mixedPackage.length)]);
    await server.services.catalog.flush();
    expect((await server.services.catalog.find('mixed', '1.0'))?.versionDownloads).toBe(before + 1);

    const nuspec = await ask('/v3/flat/mixed/1.0.0/mixed.nuspec');
    expect([nuspec.status, nuspec.headers.get('content-type')]).toEqual([200, 'application/xml']);
    expect(await nuspec.text()).toContain('<version>1.0</version>');
  });

  it('counts small packages too, which come from memory after the first time', async () => {
    for (let time = 0; time < 3; time++) {
      expect(
        (await (await ask('/v3/flat/mixer/1.0.0/mixer.1.0.0.nupkg')).arrayBuffer()).byteLength,
      ).toBeGreaterThan(0);
    }

    await server.services.catalog.flush();
    expect((await server.services.catalog.find('mixer', '1.0.0'))?.versionDownloads).toBe(3);
  });

  it.each([
    '/v3/flat/mixed/1.0.0/mixer.1.0.0.nupkg',
    '/v3/flat/mixed/1.0.0/mixed.2.0.0.nupkg',
    '/v3/flat/mixed/1.0.0/mixer.nuspec',
    '/v3/flat/mixed/8.0.0/mixed.8.0.0.nupkg',
    '/v3/flat/nobody/1.0.0/nobody.1.0.0.nupkg',
    '/v3/flat/nobody/index.json',
  ])('has nothing at %s', async (path) => {
    expect((await ask(path)).status).toBe(404);
  });
});

describe('the v3 routes', () => {
  it('accept, unlist and relist packages at their own address', async () => {
    for (const [path, version] of [
      ['/v3/publish', '1.0.0'],
      ['/v3/publish/', '1.1.0'],
    ] as const) {
      expect((await pushNupkg(server, makeNupkg({ id: 'taken', version }), adminKey, path)).status).toBe(201);
    }
    const again = await pushNupkg(
      server,
      makeNupkg({ id: 'taken', version: '1.1.0' }),
      adminKey,
      '/v3/publish/',
    );
    expect([again.status, again.statusText]).toEqual([409, expect.stringContaining('cannot be modified')]);
    expect((await pushNupkg(server, makeNupkg({ id: 'x' }), 'wrong', '/v3/publish/')).status).toBe(403);

    await unlist(server, 'taken', '1.1.0');
    expect(await searched('q=packageid:taken')).toEqual(['taken 1.0.0']);
    const headers = { 'X-NuGet-ApiKey': adminKey };
    expect((await ask('/v3/publish/taken/1.1.0', { method: 'POST', headers })).status).toBe(200);
    expect(await searched('q=packageid:taken')).toEqual(['taken 1.1.0']);
    for (const version of ['1.0.0', '1.1.0']) await unlist(server, 'taken', version);
  });

  it('write absolute addresses from the public URL, whatever Host says', async () => {
    const { host } = new URL(server.url);
    for (const path of [
      '/v3/index.json',
      '/v3/search',
      '/v3/reg/mixed/index.json',
      '/v3/reg/many/index.json',
    ]) {
      const { body } = await sendRaw(server.url, `GET ${path} HTTP/1.1`, {
        Host: 'evil.example',
        'X-Forwarded-Host': 'evil.example',
        'X-Forwarded-Proto': 'ftp',
      });

      const addresses = body.toString().match(/"[a-z]+:\/\/[^"]+"/g) ?? [];
      expect(addresses.length, path).toBeGreaterThan(0);
      for (const address of addresses) {
        expect(address).toMatch(/^"(https:\/\/feed\.corp\/go\/|http:\/\/(schema\.nuget|www\.w3)\.org\/)/);
      }
      expect(body.includes(host)).toBe(false);
    }
  });

  it.each(['/v3/index.json', '/v3/search?q=mix', '/v3/reg/mixed/index.json', '/v3/flat/mixed/index.json'])(
    'revalidate %s by its ETag, and answer HEAD',
    async (path) => {
      const first = await ask(path);
      const etag = first.headers.get('etag') ?? '';
      const body = await first.text();
      expect(first.headers.get('cache-control')).toBe('public, no-cache');

      // Not by fetch, which wants a fresh answer whenever it sends a condition.
      const again = await sendRaw(server.url, `GET ${path} HTTP/1.1`, {
        Host: 'x',
        'Accept-Encoding': 'gzip',
        'If-None-Match': etag,
      });
      expect([again.status, again.bodyBytes, again.headers.get('etag')]).toEqual([304, 0, etag]);
      const head = await ask(path, { method: 'HEAD' });
      expect([head.status, await head.text(), head.headers.get('etag')]).toEqual([200, '', etag]);
      const plain = await ask(path, { headers: { 'Accept-Encoding': 'identity' } });
      expect([plain.headers.get('content-encoding'), await plain.text()]).toEqual([null, body]);
    },
  );

  it.each([
    ['POST', '/v3/index.json', 'GET, HEAD'],
    ['PUT', '/v3/search', 'GET, HEAD'],
    ['DELETE', '/v3/reg/mixed/index.json', 'GET, HEAD'],
    ['PATCH', '/v3/flat/mixed/1.0.0/mixed.1.0.0.nupkg', 'GET, HEAD'],
    ['GET', '/v3/publish', 'PUT'],
    ['GET', '/v3/publish/mixed/1.0.0', 'DELETE, POST'],
  ])('has no %s at %s', async (method, path, allowed) => {
    const answer = await ask(path, { method });

    expect([answer.status, answer.headers.get('allow')]).toEqual([405, allowed]);
  });

  it.each([
    '/v3/flat/mixed/..%2f..%2fcatalog.db/index.json',
    '/v3/flat/%2e%2e/%2e%2e/catalog.db',
    '/v3/flat/..\\..\\/1.0.0/x.nupkg',
    '/v3/flat/mixed/1.0.0/..%2fmixed.1.0.0.nupkg',
    '/v3/flat/mixed%00/index.json',
    '/v3/reg/..%2fmixed/index.json',
    '/v3/reg/mixed/%zz.json',
    '/v3/./index.json',
    '/v3/../v3/index.json',
    '/nuget/../v3/index.json',
    '/v3%2findex.json',
    '/v3/%66lat/mixed/index.json',
    '/v3/%72eg/mixed/index.json',
  ])('are not misled by %s', async (path) => {
    const { status } = await sendRaw(server.url, `GET ${path} HTTP/1.1`, { Host: 'x' });

    expect([400, 404]).toContain(status);
  });
});

describe('the v3 routes with READ_AUTH=feed', () => {
  let closed: TestServer;
  beforeAll(async () => {
    closed = await startTestServer({ readAuth: 'feed' });
    await push(closed, makeNupkg({ id: 'kept' }));
  });
  afterAll(() => closed.stop());
  const get = (path: string, key?: string, method = 'GET') =>
    fetch(`${closed.url}${path}`, { method, ...(key && { headers: { 'X-NuGet-ApiKey': key } }) });

  it.each(['/v3/index.json', '/V3/Index.json'])('show their addresses without a key: %s', async (path) => {
    const answer = await get(path);

    expect(answer.status).toBe(200);
    expect(await answer.json()).toHaveProperty('resources');
  });

  it.each([
    '/v3/search',
    '/v3/autocomplete',
    '/v3/reg/kept/index.json',
    '/v3/flat/kept/index.json',
    '/v3/flat/kept/1.0.0/kept.1.0.0.nupkg',
    '/v3/flat/kept/1.0.0/kept.nuspec',
  ])('require a key at %s', async (path) => {
    const bare = await get(path);
    expect([bare.status, bare.headers.get('content-type'), bare.headers.get('www-authenticate')]).toEqual([
      401,
      'application/problem+json; charset=utf-8',
      expect.stringMatching(/^Basic realm=/),
    ]);
    const answer = await get(path, await makeKey(closed, ['read']));
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([
      200,
      expect.stringMatching(/^private, /),
    ]);
  });

  it('limit a key with ids to the packages it names, however they are spelled', async () => {
    const limited = await makeKey(closed, ['read'], ['other*']);

    for (const spelling of ['kept', 'KEPT', 'k%65pt', '%6Bept']) {
      expect((await get(`/v3/flat/${spelling}/1.0.0/kept.1.0.0.nupkg`, limited)).status).toBe(403);
      expect((await get(`/v3/flat/${spelling}/1.0.0/kept.nuspec`, limited)).status).toBe(403);
    }
    for (const base of ['/V3/FLAT', '//v3//flat/', '/v3/Flat']) {
      const line = `GET ${base}/kept/1.0.0/kept.1.0.0.nupkg HTTP/1.1`;
      const { status } = await sendRaw(closed.url, line, { Host: 'x', 'X-NuGet-ApiKey': limited });
      expect(status, base).toBe(403);
    }
    expect((await get('/v3/flat/other/1.0.0/kept.1.0.0.nupkg', limited)).status).toBe(404);
  });

  it('check a key and its ids whatever others were answered before', async () => {
    const path = '/v3/flat/kept/1.0.0/kept.1.0.0.nupkg';
    const reader = await makeKey(closed, ['read']);
    for (let time = 0; time < 3; time++) {
      expect((await get(path, reader)).status).toBe(200);
      expect((await get('/v3/search', reader)).status).toBe(200);
    }

    expect([(await get(path)).status, (await get('/v3/search')).status]).toEqual([401, 401]);
    expect((await get(path, await makeKey(closed, ['read'], ['other']))).status).toBe(403);
  });

  it('show at once what was added and removed', async () => {
    const reader = await makeKey(closed, ['read']);
    const versions = async () => {
      const answer = await get('/v3/autocomplete?id=moving', reader);
      return ((await answer.json()) as { data: string[] }).data;
    };

    expect(await versions()).toEqual([]);
    await push(closed, makeNupkg({ id: 'moving' }));
    expect(await versions()).toEqual(['1.0.0']);
    await unlist(closed, 'moving', '1.0.0');
    expect(await versions()).toEqual([]);
  });

  it('let keys that may only write publish, unlist and relist', async () => {
    const pusher = await makeKey(closed, ['push', 'unlist']);

    expect((await pushNupkg(closed, makeNupkg({ id: 'new' }), pusher, '/v3/publish/')).status).toBe(201);
    await unlist(closed, 'new', '1.0.0', pusher);
    expect((await get('/v3/publish/new/1.0.0', pusher, 'POST')).status).toBe(200);
    expect((await get('/nuget/new/1.0.0', pusher, 'POST')).status).toBe(200);
    expect((await get('/v3/reg/new/index.json', pusher)).status).toBe(403);
  });
});
