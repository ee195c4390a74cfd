import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseStringPromise } from 'xml2js';
import { operator } from '../../../server/audit/audit.ts';
import { createSqlCatalog } from '../../../server/catalog/sql/catalog.ts';
import { openDatabase } from '../../../server/database/connection.ts';
import { FeedError } from '../../../server/errors.ts';
import { cachePolicies } from '../../../server/http/cache.ts';
import { errorBodies } from '../../../server/http/error-body.ts';
import { createODataRoute } from '../../../server/odata/router.ts';
import { sendRaw } from '../../wire/raw-http.ts';
import { fullNuspec } from './rows.ts';

const publicUrl = 'https://feed.corp/go';
let origin: string;
let stop: () => Promise<void>;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'odata-'));
  const db = openDatabase(join(folder, 'catalog.db'));
  const catalog = createSqlCatalog(db, () => new Date('2026-03-01T00:00:00Z'));
  let serial = 0;
  const add = async (id: string, version: string, more: Partial<typeof fullNuspec> = {}) => {
    serial++;
    await catalog.add(
      {
        id,
        version,
        nuspec: {
          ...fullNuspec,
          id,
          version,
          title: id,
          tags: [],
          summary: '',
          description: '',
          dependencies: [],
          ...more,
        },
        sha256: serial.toString(16).padStart(64, '0'),
        sha512: serial.toString(16).padStart(128, '0'),
        sizeBytes: serial,
        published: new Date(Date.UTC(2026, 0, 1, 0, 0, serial)),
      },
      operator,
    );
  };
  for (let patch = 0; patch < 250; patch++) await add('many', `1.0.${patch}`);
  await add('git', '2.0.0', { description: 'needs gitversion' });
  await add('GitVersion', '5.0.0', { tags: ['git'] });
  await add('mixed', '2.0.0-alpha');
  await add('mixed', '2.0.0');
  await add('mixed', '2.0.1-alpha.1');
  await add('spelled', '1.0');
  await add('hidden', '1.0.0');
  await add('hidden', '2.0.0');
  await catalog.setListed('hidden', '2.0.0', false, operator);

  const app = express();
  app.disable('etag');
  const services = { catalog, cache: cachePolicies(false), publicUrl: () => publicUrl, version: '1' };
  for (const base of ['/nuget', '/api/v2']) app.use(base, createODataRoute(base, services).router);
  app.use((request: express.Request, response: express.Response) => {
    response.status(418).send(request.method);
  });
  app.use(
    (error: unknown, _request: express.Request, response: express.Response, _next: express.NextFunction) => {
      const known = error instanceof FeedError ? error : new FeedError('INTERNAL', {}, error);
      response
        .status(known.status)
        .send(errorBodies.odata({ ...known, message: known.message, requestId: '' }).body);
    },
  );
  const server: Server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  stop = async () => {
    await new Promise((resolve) => server.close(resolve));
    db.close();
    await rm(folder, { recursive: true });
  };
});
afterAll(() => stop());

type Found = {
  status: number;
  type: string | null;
  text: string;
  packages: string[];
  next: string | undefined;
  total: number | undefined;
  flags: Record<string, string>;
};

async function get(path: string): Promise<Found> {
  const response = await fetch(
    path.startsWith(publicUrl) ? origin + path.slice(publicUrl.length) : `${origin}${path}`,
    { redirect: 'manual' },
  );
  const text = await response.text();
  const all = (pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match[1] ?? '');
  const ids = all(/<d:Id>(.*?)<\/d:Id>/g);
  const versions = all(/<d:Version>(.*?)<\/d:Version>/g);
  const latest = all(/<d:IsLatestVersion [^>]*>(.*?)</g);
  const newest = all(/<d:IsAbsoluteLatestVersion [^>]*>(.*?)</g);
  const packages = ids.map((id, index) => `${id} ${versions[index]}`);
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    text,
    packages,
    next: /<link rel="next" href="(.*?)"\/>/.exec(text)?.[1]?.replaceAll('&amp;', '&'),
    total: text.includes('<m:count>') ? Number(/<m:count>(\d+)</.exec(text)?.[1]) : undefined,
    flags: Object.fromEntries(packages.map((name, index) => [name, `${latest[index]}/${newest[index]}`])),
  };
}

describe('the feed', () => {
  it.each(['/nuget', '/nuget/', '/api/v2', '/api/v2/', '/NuGet', '/nuget?hijack=false'])(
    'answers %s with the service document of the public address',
    async (path) => {
      const { status, text, type } = await get(path);
      expect({ status, type }).toEqual({ status: 200, type: 'application/xml;charset=utf-8' });
      expect(text).toMatch(/^<\?xml/);
      expect(text).toContain('Packages</atom:title>');
      expect(text).toContain(
        path.startsWith('/api') ? `xml:base="${publicUrl}/api/v2/"` : `xml:base="${publicUrl}/nuget/"`,
      );
    },
  );

  it('filters exactly: git is not GitVersion', async () => {
    for (const flag of ['IsLatestVersion', 'IsAbsoluteLatestVersion']) {
      for (const view of ['', '&semVerLevel=2.0.0']) {
        const { packages } = await get(
          `/nuget/Packages()?$filter=(tolower(Id)%20eq%20'git')%20and%20${flag}${view}`,
        );
        expect(packages).toEqual(['git 2.0.0']);
      }
    }
  });

  it.each([
    "(Id='SPELLED',Version='1.0')",
    "(Version='1.0.0',Id='spelled')",
    '(Id=%27spelled%27,%20Version=%271.0.0.0%27)',
    "(Id='spelled',Version='01.0')",
  ])('finds Packages%s in any spelling', async (key) => {
    const { status, packages, type, text } = await get(`/nuget/Packages${key}`);
    expect({ status, packages, type }).toEqual({
      status: 200,
      packages: ['spelled 1.0'],
      type: 'application/atom+xml;type=entry;charset=utf-8',
    });
    expect(text).toContain(
      `<content type="application/zip" src="${publicUrl}/nuget/package/spelled/1.0.0"/>`,
    );
  });

  it('has no entry for a missing version', async () => {
    expect(await get("/nuget/Packages(Id='spelled',Version='9.9')")).toMatchObject({ status: 404 });
    expect(await get("/nuget/Packages(Id='spelled',Version='garbage')")).toMatchObject({ status: 404 });
  });

  it('answers the properties and the bytes of a package', async () => {
    expect((await get("/nuget/Packages(Id='git',Version='2.0')/Version")).text).toContain('>2.0.0</Version>');
    expect((await get("/nuget/Packages(Id='GIT',Version='2.0')/Id")).text).toContain('>git</Id>');
    const response = await fetch(`${origin}/nuget/Packages(Id='git',Version='2.0')/$value`, {
      redirect: 'manual',
    });
    expect([response.status, response.headers.get('location')]).toEqual([
      302,
      `${publicUrl}/nuget/package/git/2.0.0`,
    ]);
  });

  it.each([
    '/nuget/FindPackagesById()?id=%27none%27',
    "/nuget/FindPackagesById?id=''",
    "/nuget/Search()?searchTerm='nothing%20like%20it'",
    "/nuget/Packages()?$filter=Id%20eq%20'none'",
    '/nuget/Search()?$skip=1000&$top=30',
  ])('answers %s with an empty feed', async (path) => {
    const { status, packages, type, next } = await get(path);
    expect({ status, packages, type, next }).toEqual({
      status: 200,
      packages: [],
      type: 'application/atom+xml;type=feed;charset=utf-8',
      next: undefined,
    });
  });

  it('pages by 100 with absolute next links that carry the whole query', async () => {
    const pages: Found[] = [];
    let path: string | undefined =
      '/api/v2//FindPackagesById()?%24filter=Listed+eq+true&id=%27MANY%27&$inlinecount=allpages&semVerLevel=2.0.0&$orderby=Version';
    while (path !== undefined && pages.length < 5) {
      const page: Found = await get(path);
      pages.push(page);
      path = page.next;
    }
    expect(pages.map(({ packages }) => packages.length)).toEqual([100, 100, 50]);
    expect(pages.map(({ total }) => total)).toEqual([250, 250, 250]);
    expect(new Set(pages.flatMap(({ packages }) => packages)).size).toBe(250);
    expect(pages[2]?.packages.at(-1)).toBe('many 1.0.249');
    expect(pages[0]?.next).toBe(
      `${publicUrl}/api/v2/FindPackagesById()?%24filter=Listed+eq+true&id=%27MANY%27&$inlinecount=allpages&semVerLevel=2.0.0&$orderby=Version&$skiptoken='many'%2C'1.0.99'`,
    );
  });

  it('gives exactly $top entries and then no next link', async () => {
    const sizes: unknown[] = [];
    for (const query of [
      '$top=30',
      '$top=30&$skip=30',
      '$top=100',
      '$top=150',
      '$top=6000',
      '$top=0',
      '$top=30&$skip=240',
      '$top=30&$skip=250',
    ]) {
      const { packages, next } = await get(`/nuget/FindPackagesById()?id='many'&${query}`);
      sizes.push([packages.length, next]);
    }
    expect(sizes).toEqual([30, 30, 100, 150, 250, 0, 10, 0].map((size) => [size, undefined]));
  });

  it('counts all, whatever the page', async () => {
    for (const path of [
      'Packages()/$count?$filter=Id%20eq%20%27many%27&$top=5&$skip=7',
      "FindPackagesById/$count?id='many'",
      "Search()/$count?searchTerm='many'",
    ]) {
      const { text, type } = await get(`/nuget/${path}`);
      expect([text, type]).toEqual(['250', 'text/plain;charset=utf-8']);
    }
    expect((await get("/nuget/FindPackagesById()?id='many'&$inlinecount=allpages&$top=0")).total).toBe(250);
  });

  it('hides what old clients cannot read, and flags the latest of what they see', async () => {
    // The fixture of spec nuget-v2 12.4.
    expect((await get("/nuget/FindPackagesById()?id='mixed'")).flags).toEqual({
      'mixed 2.0.0': 'true/true',
      'mixed 2.0.0-alpha': 'false/false',
    });
    expect((await get("/nuget/FindPackagesById()?id='mixed'&semVerLevel=2.0.0")).flags).toEqual({
      'mixed 2.0.1-alpha.1': 'false/true',
      'mixed 2.0.0': 'true/false',
      'mixed 2.0.0-alpha': 'false/false',
    });
    expect((await get("/nuget/Packages(Id='mixed',Version='2.0.1-alpha.1')")).packages).toEqual([
      'mixed 2.0.1-alpha.1',
    ]);
    expect(
      (
        await get(
          "/nuget/Search()?$filter=IsAbsoluteLatestVersion&searchTerm='mixed'&includePrerelease=true&semVerLevel=2.0.0",
        )
      ).packages,
    ).toEqual(['mixed 2.0.1-alpha.1']);
    expect((await get("/nuget/Search()?searchTerm='mixed'&semVerLevel=2.0.0")).packages).toEqual([
      'mixed 2.0.0',
    ]);
  });

  it('keeps unlisted versions by id, dated 1900, and out of the search', async () => {
    const { packages, text } = await get("/nuget/FindPackagesById()?id='hidden'");
    expect(packages).toEqual(['hidden 2.0.0', 'hidden 1.0.0']);
    expect(text).toContain('<d:Published m:type="Edm.DateTime">1900-01-01T00:00:00.000Z<');
    expect((await get("/nuget/Search()?searchTerm='hidden'")).packages).toEqual(['hidden 1.0.0']);
  });

  it('puts the exact id first when no order is asked', async () => {
    expect((await get("/nuget/Search()?$filter=IsLatestVersion&searchTerm='GitVersion'")).packages).toEqual([
      'GitVersion 5.0.0',
      'git 2.0.0',
    ]);
    expect(
      (await get("/nuget/Search()?$filter=IsLatestVersion&$orderby=Id&searchTerm='GitVersion'")).packages,
    ).toEqual(['git 2.0.0', 'GitVersion 5.0.0']);
  });

  it.each([
    ["/nuget/Packages()?$filter=substringof('o'brien',tolower(Id))", 400, '$filter is malformed'],
    ['/nuget/Packages()?$orderby=abc', 400, '$orderby'],
    ['/nuget/Search()?$top=x', 400, '$top'],
    ['/nuget/FindPackagesById()', 400, 'needs id='],
    ['/nuget/Packages(%zz)', 400, 'percent sign'],
    ['/nuget/Search()?searchTerm=%zz', 400, 'percent sign'],
    [`/nuget/Packages()?$filter=${'('.repeat(2000)}`, 400, 'nested deeper'],
  ])('refuses %s', async (path, status, reason) => {
    const found = await get(path);
    expect(found.status).toBe(status);
    expect(found.text).toContain(reason);
    await parseStringPromise(found.text);
  });

  it('refuses other methods on its own addresses and leaves the rest to the next route', async () => {
    const answers: unknown[] = [];
    for (const [method, path] of [
      ['DELETE', '/nuget'],
      ['POST', '/api/v2/'],
      ['PUT', '/nuget/Packages()'],
      ['POST', '/nuget/$metadata'],
      ['PUT', '/nuget'],
      ['PUT', '/nuget/'],
      ['PUT', '/nuget/package/'],
      ['DELETE', '/nuget/git/2.0.0'],
      ['GET', '/nuget/package/git/2.0.0'],
      ['GET', '/nuget/Owners()'],
    ] as const) {
      answers.push([method, path, (await fetch(origin + path, { method })).status]);
    }
    expect(answers.map((answer) => (answer as unknown[])[2])).toEqual([
      405, 405, 405, 405, 418, 418, 418, 418, 418, 418,
    ]);
  });

  it('answers HTTP/1.0 with a length and no chunks, and HEAD without a body', async () => {
    const { status, headers, body } = await sendRaw(origin, 'GET /nuget/$metadata HTTP/1.0', { Host: 'x' });
    expect(status).toBe(200);
    expect(headers.get('transfer-encoding')).toBeUndefined();
    expect(headers.get('content-length')).toBe(String(body.length));

    const response = await fetch(`${origin}/nuget/Search()`, { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(Number(response.headers.get('content-length'))).toBeGreaterThan(1000);
    expect(await response.text()).toBe('');
  });

  it('is compressed for clients that accept it, with the length that is sent', async () => {
    const plain = await sendRaw(origin, 'GET /nuget/Search() HTTP/1.1', { Host: 'x' });
    const packed = await sendRaw(origin, 'GET /nuget/Search() HTTP/1.1', {
      Host: 'x',
      'Accept-Encoding': 'gzip, deflate',
    });

    expect([plain.headers.get('content-encoding'), packed.headers.get('content-encoding')]).toEqual([
      undefined,
      'gzip',
    ]);
    expect(packed.body).toEqual(plain.body);
    expect(packed.headers.get('content-length')).toBe(String(packed.bodyBytes));
    expect(packed.bodyBytes).toBeLessThan(plain.bodyBytes / 5);
    const again = await sendRaw(origin, 'GET /nuget/Search() HTTP/1.1', {
      Host: 'x',
      'Accept-Encoding': 'gzip',
      'If-None-Match': packed.headers.get('etag') ?? '',
    });
    expect([again.status, again.bodyBytes]).toEqual([304, 0]);
  });

  it('says when nothing changed', async () => {
    const first = await sendRaw(origin, 'GET /nuget/Search() HTTP/1.1', { Host: 'x' });
    const second = await sendRaw(origin, 'GET /nuget/Search() HTTP/1.1', {
      Host: 'x',
      'If-None-Match': first.headers.get('etag') ?? '',
    });

    expect([first.status, second.status]).toEqual([200, 304]);
    expect(first.headers.get('cache-control')).toBe('public, no-cache');
  });
});

describe('GetUpdates', () => {
  const updates = async (query: string) => (await get(`/nuget/GetUpdates()?${query}`)).packages;

  // spec nuget-v2 section 13
  it.each([
    ["packageIds='many|GIT'&versions='1.0.3%7C1.0'", ['git 2.0.0', 'many 1.0.249']],
    ["packageIds='many'&versions='1.0.247'&includeAllVersions=true", ['many 1.0.249', 'many 1.0.248']],
    ["packageIds='many'&versions='1.0.249'", []],
    ["packageIds='many|git'&versions='1.0'", []],
    ["packageIds='many|'&versions='1.0|1.0'", []],
    ['', []],
    ["packageIds='many|git'&versions='garbage|1.0'", ['git 2.0.0']],
    [
      "packageIds='many|git'&versions='1.0|1.0'&versionConstraints='(,1.0.5)|[2.0,3.0]'",
      ['git 2.0.0', 'many 1.0.4'],
    ],
    ["packageIds='many|git'&versions='1.0|1.0'&versionConstraints='(,1.0.5)'", []],
    ["packageIds='git'&versions='1.0'&versionConstraints='whatever'", ['git 2.0.0']],
    ["packageIds='git|Git'&versions='2.0|1.0'", ['git 2.0.0']],
    ["packageIds='GIT|git'&versions='1.0|2.0'", ['git 2.0.0']],
    [
      "packageIds='many|git'&versions='1.0.0|1.0'&versionConstraints='(1.0.1,1.0.3]|'&includeAllVersions=true",
      ['git 2.0.0', 'many 1.0.3', 'many 1.0.2'],
    ],
    ["packageIds='many'&versions='1.0'&versionConstraints='[1.0.7]'", ['many 1.0.7']],
    ["packageIds='spelled|git'&versions='1|1.0'", ['git 2.0.0']],
    ["packageIds='mixed'&versions='1.0'&includePrerelease=true", ['mixed 2.0.0']],
    ["packageIds='mixed'&versions='1.0'&includePrerelease=true&semVerLevel=2.0.0", ['mixed 2.0.1-alpha.1']],
    ["packageIds='hidden'&versions='0.1'", ['hidden 1.0.0']],
    ["packageIds='many|git'&versions='1.0|1.0'&$filter=startswith(Id,'g')", ['git 2.0.0']],
    ["packageIds='many|git'&versions='1.0|1.0'&$orderby=Id%20desc&$top=1", ['many 1.0.249']],
  ])('%s', async (query, packages) => {
    expect(await updates(query)).toEqual(packages);
  });

  it('counts', async () => {
    expect(
      (await get("/nuget/GetUpdates()/$count?packageIds='many'&versions='1.0.0'&includeAllVersions=true"))
        .text,
    ).toBe('249');
  });

  it('of five hundred ids with all their versions is one query, which is answered', async () => {
    const times = (text: string) => Array(500).fill(text).join('|');
    const ids = Array.from({ length: 499 }, (_, index) => `none${index}`).join('|');
    const all = `packageIds='many|${ids}'&versions='${times('1.0.0')}'&includeAllVersions=true`;

    expect((await updates(all)).length).toBe(100);
    const tooMany = `packageIds='x|${times('x')}'&versions='1|${times('1')}'`;
    expect((await get(`/nuget/GetUpdates()?${tooMany}`)).status).toBe(400);
  });
});
