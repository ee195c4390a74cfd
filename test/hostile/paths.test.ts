import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNupkg } from '../kit/nupkg.ts';
import { type RawAnswer, sendRaw } from '../kit/raw-http.ts';
import { makeKey, pushNupkg, startTestServer, type TestServer } from '../kit/test-server.ts';

const ask = (url: string, line: string, headers = ''): Promise<RawAnswer> =>
  sendRaw(
    url,
    Buffer.from(`${line} HTTP/1.1\r\nHost: FEED\r\nConnection: close\r\n${headers}\r\n`, 'latin1'),
  );

/** Every way to say "up", and every sign that some server takes for a slash or an end. */
const ups = [
  '../',
  '%2e%2e/',
  '..%2f',
  '%2e%2e%2f',
  '..%5c',
  '..\\',
  '%252e%252e%252f',
  '....//',
  '..;/',
  '.%00./',
  '%c0%ae%c0%ae/',
  '..%c0%af',
  '%e0%80%ae%e0%80%ae/',
  '..%ef%bc%8f',
  '..%u2215',
  '/',
  '//',
  './',
  '%2e/',
  ';x/',
  '%20/',
  '%09',
  '..%0d%0a',
];
const routes = [
  '/nuget/',
  '/api/v2/',
  '/nuget/package/',
  '/nuget/package/sample/',
  '/v3/',
  '/v3/flatcontainer/',
  '/dl/',
  '/dl/sample/1.0.0/',
  '/m/',
  '/m/beta/',
  '/m/sample/1.0.0/',
  '/git/main/go-win-tools.git/',
  '/git/',
  '/static/',
  '/packages/',
  '/api/v1/',
  '/install.',
];
const goals = ['etc/passwd', 'catalog.db', 'lock', 'package.json', 'server/main.ts', 'config', 'blobs/tmp'];

describe('path confusion', () => {
  let open: TestServer;
  let closed: TestServer;
  beforeAll(async () => {
    open = await startTestServer();
    closed = await startTestServer({ readAuth: 'all' });
    for (const server of [open, closed]) {
      expect((await pushNupkg(server, makeNupkg(), server.adminKey)).status).toBe(201);
    }
  });
  afterAll(async () => {
    await open.stop();
    await closed.stop();
  });

  it.each(routes)('stays inside its folder: %s', async (route) => {
    for (const up of ups) {
      for (const goal of goals) {
        const target = `${route}${up.repeat(8)}${goal}`;
        const { status, body } = await ask(open.url, `GET ${target}`);
        const isClean = !/root:|SQLite format|"devDependencies"|\[core\]/.test(body.toString('latin1'));
        // A page of the feed may be what a path of slashes and dots comes down to; a file never is.
        expect([target, status < 500, isClean]).toEqual([target, true, true]);
        if (status === 200) expect(body.toString()).toMatch(/^(<\?xml|<!doctype html|$)/);
      }
    }
    expect(open.logged()).not.toContain('"level":"error"');
  });

  it.each([
    '//nuget',
    '///nuget',
    '/./nuget',
    '/x/../nuget',
    '/m/../nuget',
    '/m/..%2fnuget',
    '/m/%2e%2e/nuget',
    '/healthz/../nuget',
    '/healthz%2f..%2fnuget',
    '/healthz;/nuget',
    '/nuget;/m/',
    '/NUGET',
    '/Nuget/',
    '/nuget/%2e',
    '/nuget%2f',
    '/nuget%2fPackages()',
    '/api%2fv2',
    '/api/V2/',
    '/api/v2/%20',
    'http://healthz/nuget',
    'http://m//nuget',
    'x://y/m/../nuget',
    '/nuget?/m/',
    '/nuget#/m/',
    '/nuget/package/sample/1.0.0',
    '/nuget/package/sample%2f1.0.0',
    '/nuget//package//sample//1.0.0',
    '/nuget/package/sample/1.0.0;.sha256',
    '/dl/x/1.0.0/x-windows-amd64.exe',
    '/dl/x/1.0.0/x.exe?.sha256',
    '/dl/x/1.0.0/x.exe#.sha256',
    '/dl/x/1.0.0/x.exe%23.sha256%2f..',
    '/v3/index.json',
    '/V3/index.json',
    '/v3//index.json',
    '/api/v1/server',
    '/api/v1/keys',
    '/openapi.json',
    '/metrics',
    '/',
    '/packages/sample',
    '/static/gallery.css',
    '/git/main/go-win-tools.git/info/refs?service=git-upload-pack',
    '/install.ps1/../nuget',
    '/git//main/go-win-tools.git/info/refs?service=git-upload-pack',
    '/%6euget',
    '/%6d/../nuget',
    '/m%2f..%2fnuget',
    '/\\nuget',
    '\\nuget',
  ])('reads nothing where reading needs a key: %s', async (target) => {
    const { status, body } = await ask(closed.url, `GET ${target}`);

    expect([400, 401, 403, 404]).toContain(status);
    expect(body.toString('latin1')).not.toMatch(/<feed|<service|PK|"resources"|refs\/heads/);
  });

  it('cannot write under another name than the key allows', async () => {
    const key = await makeKey(open, ['push', 'unlist'], ['other*']);
    const headers = `X-NuGet-ApiKey: ${key}\r\nContent-Length: 2\r\n`;
    const lines = [
      'PUT /dl/sample/1.0.0/sample-windows-amd64.exe',
      'PUT /dl/other%2f..%2fsample/1.0.0/sample-windows-amd64.exe',
      'PUT /dl/other/../sample/1.0.0/sample-windows-amd64.exe',
      'PUT /dl/other/1.0.0/..%2f..%2fsample-windows-amd64.exe',
      'PUT /dl/other/..%2f1.0.0/other-windows-amd64.exe',
      'PUT /dl/other/1.0.0/other-windows-amd64.exe%00',
      'PUT /dl/other/1.0.0/other-windows-amd64.exe%0d%0a',
      'PUT /dl/other/1.0.0/con.exe',
      'DELETE /nuget/sample/1.0.0',
      'DELETE /nuget/%73ample/1.0.0',
      'DELETE /nuget/package/SAMPLE/1.0',
      'DELETE /nuget/other%2f..%2fsample/1.0.0',
      'DELETE /nuget/other/../sample/1.0.0',
      'DELETE //nuget//package//sample//1.0.0',
      'POST /nuget/package/sample/1.0.0',
    ];
    for (const line of lines) {
      const { status } = await sendRaw(
        open.url,
        `${line} HTTP/1.1\r\nHost: FEED\r\nConnection: close\r\n${headers}\r\nMZ`,
      );
      expect([line, [400, 403, 404].includes(status)]).toEqual([line, true]);
    }
    const feed = await (await fetch(`${open.url}/nuget/Search()`)).text();
    expect(feed).toContain('<d:Id>sample</d:Id>');
    expect(await (await fetch(`${open.url}/nuget/Packages()/$count`)).text()).toBe('1');
  });
});
