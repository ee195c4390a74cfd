import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNupkg } from '../../kit/nupkg.ts';
import { adminKey, makeKey, pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';
import { sendRaw } from '../../wire/raw-http.ts';

const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
const readme = '# Full\n\n<script>alert(1)</script> über alles';
const placeholder = 'https://aka.ms/deprecateLicenseUrl';

/** As `dotnet pack` makes them (dotnet-10.jsonl pushes Full.Meta so). */
const fullMeta = makeNupkg({
  id: 'Full.Meta',
  version: '1.2.0',
  metadata: { owners: 'Meta team', icon: 'images\\icon.png', readme: 'README.md', licenseUrl: placeholder },
  metadataXml:
    '<license type="file">LICENSE.txt</license><packageTypes><packageType name="DotnetTool"/></packageTypes>' +
    '<repository type="git" url="https://git.corp/meta" commit="0123abc"/>',
  files: { 'images/icon.png': png, 'README.md': readme, 'LICENSE.txt': 'Do what you want, ©.\n' },
});

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await push(fullMeta);
  await push(
    makeNupkg({
      id: 'by.expression',
      metadata: { licenseUrl: 'https://licenses.nuget.org/MIT' },
      metadataXml: '<license type="expression">MIT</license>',
    }),
  );
  await push(
    makeNupkg({
      id: 'hostile',
      metadata: { icon: 'icon.svg', readme: 'page.html' },
      metadataXml: '<license type="file">license.html</license>',
      files: { 'icon.svg': svg, 'page.html': `<html>${svg}`, 'license.html': `<html>${svg}` },
    }),
  );
  await push(
    makeNupkg({
      id: 'without',
      metadata: { icon: 'nowhere.png', readme: '../../secret.md', iconUrl: 'https://icons.corp/a.png' },
      metadataXml: `<license type="file">big.txt</license><licenseUrl>${placeholder}</licenseUrl>`,
      files: { 'big.txt': randomBytes(1024 * 1024 + 1) },
    }),
  );
});
afterAll(() => server.stop());

async function push(nupkg: Buffer): Promise<void> {
  const answer = await pushNupkg(server, nupkg, adminKey);
  expect([answer.status, await answer.text()]).toEqual([201, expect.anything()]);
}

const get = (address: string, headers: Record<string, string> = {}) =>
  fetch(address.startsWith('http') ? address : `${server.url}${address}`, { headers });

// biome-ignore lint/suspicious/noExplicitAny: documents are looked into by the tests
async function read(path: string): Promise<any> {
  const answer = await get(path);
  expect(answer.status, path).toBe(200);
  return answer.json();
}

const entryOf = async (id: string) => (await read(`/v3/reg/${id}/index.json`)).items[0].items[0].catalogEntry;

describe('what dotnet pack puts into a package', () => {
  it('is on v3, in hits, entries and leaves alike', async () => {
    const at = `${server.url}/v3/flat/full.meta/1.2.0`;
    const expected = {
      owners: 'Meta team',
      iconUrl: `${at}/icon`,
      licenseUrl: `${at}/license`,
      readmeUrl: `${at}/readme`,
      packageTypes: [{ name: 'DotnetTool' }],
    };
    const [hit] = (await read('/v3/search?q=packageid:full.meta')).data;
    const entry = await entryOf('full.meta');

    expect(hit).toMatchObject(expected);
    expect(entry).toMatchObject({
      ...expected,
      repository: { type: 'git', url: 'https://git.corp/meta', commit: '0123abc' },
    });
    expect(await read(entry['@id'])).toMatchObject(expected);
    expect(entry.licenseExpression).toBeUndefined();
  });

  it('is on v2, as far as v2 has a field for it', async () => {
    const xml = await (await get("/nuget/Packages(Id='Full.Meta',Version='1.2.0')")).text();

    expect(xml).toContain(`<d:IconUrl>${server.url}/v3/flat/full.meta/1.2.0/icon</d:IconUrl>`);
    expect(xml).toContain(`<d:LicenseUrl>${server.url}/v3/flat/full.meta/1.2.0/license</d:LicenseUrl>`);
    expect(xml).toContain('<d:Owners>Meta team</d:Owners>');
  });

  it('has the expression of a license, with the address that the nuspec gives', async () => {
    expect(await entryOf('by.expression')).toMatchObject({
      licenseExpression: 'MIT',
      licenseUrl: 'https://licenses.nuget.org/MIT',
      packageTypes: [{ name: 'Dependency' }],
    });
  });

  it('names no file that the package does not have, and never the placeholder of a license', async () => {
    const entry = await entryOf('without');

    expect([entry.licenseUrl, entry.readmeUrl, entry.iconUrl]).toEqual([
      undefined,
      undefined,
      'https://icons.corp/a.png',
    ]);
    for (const path of ["/nuget/Packages(Id='without',Version='1.0.0')", '/v3/reg/without/index.json']) {
      expect((await (await get(path)).text()).toLowerCase()).not.toContain('deprecatelicenseurl');
    }
    for (const file of ['icon', 'license', 'readme']) {
      expect((await get(`/v3/flat/without/1.0.0/${file}`)).status, file).toBe(404);
    }
  });

  it.each([
    ['icon', 'image/png', png],
    ['license', 'text/plain; charset=utf-8', Buffer.from('Do what you want, ©.\n')],
    ['readme', 'text/markdown; charset=utf-8', Buffer.from(readme)],
  ] as const)('has its %s at its own address', async (file, type, bytes) => {
    const address = `/v3/flat/full.meta/1.2.0/${file}`;
    for (let time = 0; time < 3; time++) {
      const answer = await get(address);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, type]);
      expect(Buffer.from(await answer.arrayBuffer())).toEqual(bytes);
      expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    }
    const etag = (await get(address)).headers.get('etag') ?? '';
    const again = await sendRaw(server.url, `GET ${address} HTTP/1.1`, { Host: 'x', 'If-None-Match': etag });
    expect([again.status, again.bodyBytes]).toEqual([304, 0]);
    expect((await fetch(`${server.url}${address}`, { method: 'HEAD' })).status).toBe(200);
    expect((await fetch(`${server.url}${address}`, { method: 'PUT' })).status).toBe(405);
  });

  it.each([
    ['icon', 'application/octet-stream'],
    ['license', 'text/plain; charset=utf-8'],
    ['readme', 'text/markdown; charset=utf-8'],
  ])('cannot run anything, whatever it is: %s', async (file, type) => {
    for (let time = 0; time < 2; time++) {
      const { headers, status } = await get(`/v3/flat/hostile/1.0.0/${file}`);

      expect([status, headers.get('content-type')]).toEqual([200, type]);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toBe(
        "default-src 'none'; style-src 'none'; sandbox; frame-ancestors 'none'",
      );
    }
  });

  it('is at any spelling of id and version, and gone with the version', async () => {
    expect((await get('/v3/flat/FULL.Meta/1.2/icon')).status).toBe(200);
    for (const path of ['/v3/flat/full.meta/9.0.0/icon', '/v3/flat/nobody/1.0.0/readme']) {
      expect((await get(path)).status).toBe(404);
    }
    await push(makeNupkg({ id: 'gone', metadata: { icon: 'i.png' }, files: { 'i.png': png } }));
    expect((await get('/v3/flat/gone/1.0.0/icon')).status).toBe(200);
    const headers = { 'X-NuGet-ApiKey': adminKey, 'X-Reason': 'test', 'Content-Type': 'application/json' };
    const body = JSON.stringify({ id: 'gone', version: '1.0.0', reason: 'test' });
    const purged = await fetch(`${server.url}/api/v1/purges`, { method: 'POST', headers, body });
    expect(purged.status).toBe(200);
    expect((await get('/v3/flat/gone/1.0.0/icon')).status).toBe(410);
  });

  it('needs a key that may read the package where reading needs one', async () => {
    const closed = await startTestServer({ readAuth: 'feed' });
    try {
      await pushNupkg(closed, fullMeta, adminKey);
      const address = `${closed.url}/v3/flat/full.meta/1.2.0/readme`;
      const status = async (key?: string) =>
        (await fetch(address, key === undefined ? {} : { headers: { 'X-NuGet-ApiKey': key } })).status;
      const [reader, other] = [await makeKey(closed, ['read']), await makeKey(closed, ['read'], ['other'])];

      expect([await status(reader), await status(), await status(other)]).toEqual([200, 401, 403]);
    } finally {
      await closed.stop();
    }
  });
});

describe('the type of a package', () => {
  const found = async (query: string) =>
    (await read(`/v3/search?${query}`)).data.map(({ id }: { id: string }) => id);

  // NuGet.Protocol 8.0 and 6.7 (nuget-protocol.jsonl).
  it.each([
    ['q=&skip=0&take=20&prerelease=true&packageType=DotnetTool&semVerLevel=2.0.0', ['Full.Meta']],
    ['q=&skip=0&take=20&prerelease=true&packageTypeFilter=DotnetTool&semVerLevel=2.0.0', ['Full.Meta']],
    ['packageType=DOTNETTOOL', ['Full.Meta']],
    ['packageType=dotnet', []],
    ['packageType=dotnettool%20template', []],
    ['packageType=%', []],
    ['packageType=Template&packageTypeFilter=dotnettool', ['Full.Meta']],
    ['q=hostile&packageType=Dependency', ['hostile']],
    ['q=full&packageType=Dependency', []],
    ['q=full&packageType=', ['Full.Meta']],
    ['q=full&packageType=Dependency&packageType=DotnetTool', ['Full.Meta']],
  ])('filters a search: %s', async (query, ids) => {
    if (query.endsWith('=%')) return expect((await get(`/v3/search?${query}`)).status).toBe(400);
    expect(await found(query)).toEqual(ids);
  });

  it('filters hits, their count and completions', async () => {
    expect(await read('/v3/search?packageType=DotnetTool&take=0')).toMatchObject({ totalHits: 1, data: [] });
    expect((await read('/v3/autocomplete?q=&packageType=dotnettool')).data).toEqual(['Full.Meta']);
    expect((await get(`/v3/search?${'packageType=a&'.repeat(31)}`)).status).toBe(400);
  });
});
