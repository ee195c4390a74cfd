import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../../../../formats/digest.ts';
import {
  downloadFile,
  downloadPackage,
  listVersions,
  pushPackage,
  pushUrl,
  waitForPackage,
} from '../../../../manifest-gen/published/feed/client.ts';
import { createFeedHttp, type FeedHttp } from '../../../../manifest-gen/published/feed/http.ts';
import { createHttp } from '../../../../outbound/http.ts';
import { type Listening, listen } from '../../../kit/listen.ts';
import { nowhere } from '../../../kit/upstream-fixture.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

const key = 'a-secret-key';
const bytes = Buffer.from('the bytes of a package');
const digest = digestBytes(bytes);
let dir: string;
let servers: Listening[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'feed-client-'));
  servers = [];
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await rm(dir, { recursive: true, force: true });
});

describe('listVersions', () => {
  it('follows next links by their query alone, since the public address may be unreachable from here', async () => {
    const asked: string[] = [];
    const feed = await serve((request, response) => {
      asked.push(request.url ?? '');
      const isFirst = !request.url?.includes('$skip');
      const next = isFirst
        ? `http://public.example/nuget/FindPackagesById()?id='delve'&amp;$skip=1`
        : undefined;
      response.end(atom([{ version: isFirst ? '1.0.0' : '2.0.0' }], next));
    });

    const versions = await listVersions(feed, 'delve');

    expect(versions.map(({ version }) => version)).toEqual(['1.0.0', '2.0.0']);
    expect(decodeURIComponent(asked[1]!)).toBe("/nuget/FindPackagesById()?id='delve'&$skip=1");
  });

  it('stops when a server names the same next page forever', async () => {
    const feed = await serve((_, response) => response.end(atom([{ version: '1.0.0' }], 'x?same=1')));

    expect(await listVersions(feed, 'delve')).toHaveLength(2);
  });

  it.each(['http://[', 'http://host:99999/x'])('is refused with the next page %s', async (next) => {
    const feed = await serve((_, response) => response.end(atom([{ version: '1.0.0' }], next)));

    await expect(listVersions(feed, 'delve')).rejects.toMatchObject({
      code: 'FEED_REFUSED',
      message: expect.stringContaining('not an Atom feed'),
    });
  });

  it('is refused when it never ends: a missed version would be made again', async () => {
    let page = 0;
    const feed = await serve((_, response) => {
      page += 1;
      response.end(atom([{ version: `1.0.${page}` }], `x?page=${page}`));
    });

    await expect(listVersions(feed, 'delve')).rejects.toMatchObject({
      code: 'FEED_REFUSED',
      message: expect.stringContaining('more than 200 pages'),
    });
  });

  it('does not wait for a feed that asks for an hour', async () => {
    const feed = await serve((_, response) => response.writeHead(503, { 'retry-after': '3600' }).end());

    await expect(listVersions(feed, 'delve')).rejects.toMatchObject({ code: 'FEED_UNREACHABLE' });
  });

  it('reads no answer that is longer than any list', async () => {
    const mebibyte = Buffer.alloc(1024 * 1024);
    const feed = await serve((_, response) => {
      Readable.from(Array.from({ length: 100 }, () => mebibyte)).pipe(response);
    });

    await expect(listVersions(feed, 'delve')).rejects.toMatchObject({
      code: 'FEED_UNREACHABLE',
      message: expect.stringContaining('longer than'),
    });
  });

  it('leaves out entries without a version, which would become part of a file name', async () => {
    const feed = await serve((_, response) =>
      response.end(atom(['../../1.0.0', '1.0.0', '', 'latest'].map((version) => ({ version })))),
    );

    expect((await listVersions(feed, 'delve')).map(({ version }) => version)).toEqual(['1.0.0']);
  });

  it('reads hash and listing, also of servers that mark an unlisted package by its date alone', async () => {
    const feed = await serve((_, response) =>
      response.end(atom([{ version: '1.0.0' }, { version: '2.0.0', published: '1900-01-01T00:00:00Z' }])),
    );

    expect(await listVersions(feed, 'DELVE')).toMatchObject([
      { id: 'delve', isListed: true, sha512: digest.sha512 },
      { id: 'delve', isListed: false, published: undefined },
    ]);
  });

  it.each([
    ['another document', '<?xml version="1.0"?><service/>'],
    ['no XML', 'hello'],
  ])('says that %s is not a feed', async (_, body) => {
    const feed = await serve((__, response) => response.end(body));

    await expect(listVersions(feed, 'delve')).rejects.toMatchObject({
      code: 'FEED_REFUSED',
      message: expect.stringContaining('not an Atom feed'),
      hint: expect.stringContaining('FEED_URL'),
    });
  });

  it('reports a page for people as an unreachable feed, and names its sender', async () => {
    const portal = await serve((_, response) => response.end('<!DOCTYPE html><title>Portal</title>'));
    const { host } = new URL(portal.feedUrl);
    const feed = await serve((_, response) => response.writeHead(302, { location: portal.feedUrl }).end());

    await expect(listVersions(feed, 'delve')).rejects.toMatchObject({
      code: 'FEED_UNREACHABLE',
      exitCode: 4,
      message: expect.stringContaining(`${host} answers with a page of HTML`),
    });
  });

  it.each([502, 503, 504])('reports %i as an unreachable feed', async (status) => {
    const feed = await serve((_, response) => response.writeHead(status, 'Come back later').end());

    await expect(listVersions(feed, 'delve')).rejects.toMatchObject({
      code: 'FEED_UNREACHABLE',
      exitCode: 4,
      message: expect.stringContaining('Come back later'),
    });
  });

  it('says that nobody answers', async () => {
    await expect(listVersions(client(`${nowhere}/nuget`), 'delve')).rejects.toMatchObject({
      code: 'FEED_UNREACHABLE',
      exitCode: 4,
    });
  });
});

describe('downloadPackage', () => {
  const pkg = {
    id: 'delve',
    version: '1.0.0',
    isListed: true,
    published: undefined,
    sha512: digest.sha512,
    downloadUrl: undefined,
  };

  it('refuses bytes other than the feed announces', async () => {
    const feed = await serve((_, response) => response.end('other bytes'));

    await expect(downloadPackage(feed, pkg, join(dir, 'x'))).rejects.toMatchObject({ code: 'FEED_CONFLICT' });
  });

  it('follows a redirect to a store and leaves the key behind', async () => {
    const keys: unknown[] = [];
    const store = await listen((request, response) => {
      keys.push(request.headers['x-nuget-apikey']);
      response.end(bytes);
    });
    servers.push(store);
    const feed = await serve((request, response) => {
      keys.push(request.headers['x-nuget-apikey']);
      if (request.headers['x-nuget-apikey'] === undefined) response.writeHead(401).end();
      else response.writeHead(302, { location: `${store.url}/blob` }).end();
    });

    await downloadPackage(feed, pkg, join(dir, 'x'));

    expect(await readFile(join(dir, 'x'))).toEqual(bytes);
    expect(keys).toEqual([undefined, key, undefined]);
  });

  it('reads without a key from a feed that does not ask for one', async () => {
    const keys: unknown[] = [];
    const feed = await serve((request, response) => {
      keys.push(request.headers['x-nuget-apikey']);
      response.end(request.url?.includes('FindPackagesById') ? atom([{ version: '1.0.0' }]) : bytes);
    });

    await listVersions(feed, 'delve');
    await downloadPackage(feed, pkg, join(dir, 'x'));

    expect(keys).toEqual([undefined, undefined]);
  });

  it.each([401, 403])('reads with the key from then on when a feed answers %i', async (status) => {
    const keys: unknown[] = [];
    const feed = await serve((request, response) => {
      keys.push(request.headers['x-nuget-apikey']);
      if (request.headers['x-nuget-apikey'] === undefined) response.writeHead(status).end();
      else response.end(request.url?.includes('FindPackagesById') ? atom([{ version: '1.0.0' }]) : bytes);
    });

    expect(await listVersions(feed, 'delve')).toHaveLength(1);
    await downloadPackage(feed, pkg, join(dir, 'x'));

    expect(await readFile(join(dir, 'x'))).toEqual(bytes);
    expect(keys).toEqual([undefined, key, key]);
  });

  it('sends the key to no other address that asks for one', async () => {
    const keys: unknown[] = [];
    const store = await listen((request, response) => {
      keys.push(request.headers['x-nuget-apikey']);
      response.writeHead(401).end();
    });
    servers.push(store);
    const feed = await serve((request, response) => {
      keys.push(request.headers['x-nuget-apikey']);
      response.writeHead(302, { location: `${store.url}${request.url}` }).end();
    });

    await expect(listVersions(feed, 'delve')).rejects.toMatchObject({ code: 'FEED_REFUSED' });

    expect(keys).toEqual([undefined, undefined]);
  });

  it('asks the address of the entry when the feed keeps its packages elsewhere', async () => {
    const store = await listen((_, response) => response.end(bytes));
    servers.push(store);
    const feed = await serve((_, response) => response.writeHead(404).end());

    const found = await downloadPackage(feed, { ...pkg, downloadUrl: `${store.url}/p` }, join(dir, 'x'));

    expect(found).toEqual(digest);
  });

  it.each(['http://[', '//host:99999/p', 'http://a b/'])(
    'is refused when the feed does not have it and names %j as its address',
    async (source) => {
      const feed = await serve((request, response) => {
        if (request.url?.startsWith('/nuget/FindPackagesById()')) {
          response.end(atom([{ version: '1.0.0' }]).replace('http://public.example/p', source));
        } else response.writeHead(404).end();
      });
      const [listed] = await listVersions(feed, 'delve');

      await expect(downloadPackage(feed, listed!, join(dir, 'x'))).rejects.toMatchObject({
        code: 'FEED_REFUSED',
      });
    },
  );
});

describe('downloadFile', () => {
  it.each([
    ['that never ends', {}, Buffer.alloc(100_000)],
    ['that is short until it is unpacked', { 'content-encoding': 'gzip' }, gzipSync(Buffer.alloc(100_000))],
  ])('ends with a file %s', async (_, headers, body) => {
    const feed = await serve((_request, response) => response.writeHead(200, headers).end(body));

    await expect(downloadFile(feed, `${feed.feedUrl}/x`, join(dir, 'x'), 99_999)).rejects.toMatchObject({
      code: 'FEED_UNREACHABLE',
      message: expect.stringContaining('the file is longer than 99999 bytes'),
    });
    expect((await stat(join(dir, 'x'))).size).toBeLessThan(100_000);
    expect(await downloadFile(feed, `${feed.feedUrl}/x`, join(dir, 'x'), 100_000)).toMatchObject({
      sizeBytes: 100_000,
    });
  });
});

describe('pushPackage', () => {
  it('sends one part with the package, a length, and the key', async () => {
    let seen: { request: IncomingMessage; body: Buffer } | undefined;
    const feed = await serve((request, response, body) => {
      seen = { request, body };
      response.writeHead(201).end();
    });

    expect(await push(feed)).toBe('pushed');

    expect(seen?.request).toMatchObject({ method: 'PUT', url: '/nuget/' });
    expect(seen?.request.headers).toMatchObject({
      'x-nuget-apikey': key,
      'content-length': String(seen?.body.length),
      'content-type': expect.stringMatching(/^multipart\/form-data; boundary=".+"$/),
    });
    expect(seen?.body.includes(bytes)).toBe(true);
  });

  it('accepts the same bytes on the feed, and not others', async () => {
    const answerWith = (hash: Buffer) =>
      serve((request, response) => {
        if (request.method === 'PUT') response.writeHead(409, 'already exists and cannot be modified').end();
        else response.end(atom([{ version: '1.0.0', hash }]));
      });

    expect(await push(await answerWith(Buffer.from(digest.sha512, 'hex')))).toBe('same');
    await expect(push(await answerWith(Buffer.alloc(64)))).rejects.toMatchObject({
      code: 'FEED_CONFLICT',
      exitCode: 1,
      message: `The feed already has delve 1.0.0 with other bytes: expected SHA-512 ${digest.sha512}, found ${'0'.repeat(128)}.`,
    });
  });

  it.each([
    [400, 'The nuspec has no id', "See the feed's log"],
    [401, 'A key is needed', 'FEED_API_KEY'],
    [403, 'The specified API key is invalid', 'FEED_API_KEY'],
    [413, 'Too large', 'MAX_PACKAGE_BYTES'],
    [507, 'No room', 'Free some space'],
  ])("repeats the server's reason for %i and says what to do", async (status, reason, hint) => {
    const feed = await serve((_, response) => response.writeHead(status, reason).end());

    await expect(push(feed)).rejects.toSatisfy((error) => {
      expect(error).toMatchObject({ code: 'FEED_REFUSED', exitCode: 1, hint: expect.stringContaining(hint) });
      expect(String(error)).toContain(`${status} to the push of delve 1.0.0: ${reason}`);
      expect(JSON.stringify(error) + String(error)).not.toContain(key);
      return true;
    });
  });

  it.each([
    ['KEY_SCOPE', 'Check FEED_API_KEY'],
    ['APPROVALS_NEEDED', 'The feed itself says what it expects.'],
  ])('names the key for a 403 that is about it: %s', async (code, hint) => {
    const body = JSON.stringify({ title: 'No', status: 403, code });
    const feed = await serve((_, response) => response.writeHead(403, 'No').end(body));

    await expect(push(feed)).rejects.toMatchObject({ hint: expect.stringContaining(hint) });
  });

  async function push(feed: FeedHttp): Promise<string> {
    const path = join(dir, 'delve.1.0.0.nupkg');
    await writeFile(path, bytes);
    return pushPackage(feed, { id: 'delve', version: '1.0.0', path, digest }, () => undefined);
  }
});

describe('waitForPackage', () => {
  it('asks until a feed that indexes later shows it', async () => {
    let asked = 0;
    const feed = await serve((_, response) => {
      asked += 1;
      if (asked < 3) response.writeHead(404).end();
      else response.end(atom([{ version: '1.0.0' }]));
    });

    await waitForPackage(feed, 'delve', '1.0.0', new AbortController().signal);

    expect(asked).toBe(3);
  });
});

describe('pushUrl', () => {
  it.each([
    ['https://feed.corp/api/v2', 'https://feed.corp/api/v2/'],
    ['https://feed.corp/nuget/foo', 'https://feed.corp/nuget/foo/'],
    ['https://feed.corp', 'https://feed.corp/api/v2/package/'],
    ['https://feed.corp/api/v2/package', 'https://feed.corp/api/v2/package/'],
  ])('of %s is %s (spec nuget-v2 10.1)', (feed, expected) => {
    expect(pushUrl(feed)).toBe(expected);
  });
});

async function serve(handler: Handler): Promise<FeedHttp> {
  const server = await listen((request, response) => {
    void buffer(request).then((body) => handler(request, response, body));
  });
  servers.push(server);
  return client(`${server.url}/nuget`);
}

function client(feedUrl: string): FeedHttp {
  const http = createHttp({ userAgent: 'go-win-tools/test' }).extend({ retry: { backoffLimit: 10 } });
  return createFeedHttp(http, feedUrl, key, new AbortController().signal);
}

type Entry = { readonly version: string; readonly published?: string; readonly hash?: Buffer };

function atom(entries: readonly Entry[], next?: string): string {
  const rows = entries.map(
    ({ version, published = '2026-11-24T00:00:00Z', hash = Buffer.from(digest.sha512, 'hex') }) =>
      `<entry><title type="text">delve</title><content type="application/zip" src="http://public.example/p"/>
       <m:properties><d:Version>${version}</d:Version><d:PackageHash>${hash.toString('base64')}</d:PackageHash>
       <d:PackageHashAlgorithm>SHA512</d:PackageHashAlgorithm>
       <d:Published m:type="Edm.DateTime">${published}</d:Published></m:properties></entry>`,
  );
  const link = next === undefined ? '' : `<link rel="next" href="${next}"/>`;
  return `<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xmlns:d="d" xmlns:m="m">${rows.join('')}${link}</feed>`;
}
