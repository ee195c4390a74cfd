import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNupkg } from '../../kit/nupkg.ts';
import { pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';
import { sendRaw } from '../../wire/raw-http.ts';

describe('the pages for people', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startTestServer();
    await push('sample', '1.0.0', {
      summary: 'Stable & <b>bold</b>',
      releaseNotes: 'https://example.org/sample/notes?a=1&b="',
    });
    await push('sample', '1.1.0-beta.1');
    await push('titled', '1.0.0', { title: 'A\u202e Title' });
    await push('newborn', '0.1.0-beta.1', {
      description:
        'Reads **well**. <script>alert(1)</script> [bad](javascript:alert(1)) ![spy](https://spy.example/x.png)',
      projectUrl: 'https://example.org/newborn',
      releaseNotes:
        '## Changes\n</pre><script>alert(2)</script> [bad](javascript:alert(1)) <img src=x onerror=alert(3)>\n\nhttps://example.org/notes',
    });
  });

  afterAll(async () => {
    await server.stop();
  });

  async function push(id: string, version: string, metadata: Record<string, string> = {}): Promise<void> {
    const answer = await fetch(`${server.url}/nuget/`, {
      method: 'PUT',
      headers: { 'X-NuGet-ApiKey': server.adminKey },
      body: new Uint8Array(makeNupkg({ id, version, metadata })),
    });
    expect(answer.status, await answer.text()).toBe(201);
  }

  async function page(path: string): Promise<{ status: number; html: string; policy: string | null }> {
    const answer = await fetch(`${server.url}${path}`, { headers: { Accept: 'text/html' } });
    return {
      status: answer.status,
      html: await answer.text(),
      policy: answer.headers.get('content-security-policy'),
    };
  }

  /** The clients whose commands a page of a package shows, in its order. */
  function summariesOf(html: string): readonly (string | undefined)[] {
    const [, install = ''] = /<h2 id="install">(.*?)<\/section>/s.exec(html) ?? [];
    return [...install.matchAll(/<summary>(.*?)<\/summary>/g)].map(([, name]) => name);
  }

  it('say as long as the first packages are being made', async () => {
    let isFilling = true;
    const empty = await startTestServer({ server: { isFilling: () => isFilling } });
    try {
      const read = async () => (await fetch(`${empty.url}/`, { headers: { Accept: 'text/html' } })).text();
      expect(await read()).toContain('No packages yet: the first ones are being released');
      isFilling = false;
      expect(await read()).toContain('No packages yet. A maintainer publishes the first ones');
    } finally {
      await empty.stop();
    }
  });

  it('list the packages, one line per id, with their newest stable version and beta', async () => {
    const { status, html } = await page('/');

    expect(status).toBe(200);
    expect(html.match(/href="\/packages\//g)).toHaveLength(3);
    expect(html).toContain('<span class="version">1.0.0</span>');
    expect(html).toContain('<span class="version beta">1.1.0-beta.1</span>');
    expect(html).toContain('none yet');
  });

  it('search by the same rules as the feed, and link from a tag to all packages with it', async () => {
    await push('tagged', '1.0.0', { tags: 'sheep wool&c' });
    expect((await page('/?q=tag:sheep')).html).toContain('/packages/tagged');
    expect((await page('/?q=tag:shee')).html).toContain('Nothing matches');
    expect((await page('/?q=packageid:tagged')).html).not.toContain('/packages/sample');
    const { html } = await page('/packages/tagged');
    expect(html).toContain('<a href="/?q=tag%3Asheep">sheep</a>');
    expect(html).toContain('<a href="/?q=tag%3Awool%26c">wool&amp;c</a>');
  });

  it("are found at the path above a package's page, too", async () => {
    const answer = await fetch(`${server.url}/packages?q=tag:sheep`, { redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/?q=tag:sheep']);
  });

  it('say which package is not there', async () => {
    const missing = await page('/packages/nowhere');
    expect(missing.status).toBe(404);
    expect(missing.html).toContain('This feed has no package nowhere in any version.');
  });

  it.each([
    [undefined, false, false],
    ['feed', true, true],
    ['all', true, false],
  ] as const)('with READ_AUTH=%s say whether a key is needed', async (readAuth, isNeeded, isScoopFree) => {
    const closed = await startTestServer(readAuth === undefined ? {} : { readAuth });
    try {
      const headers = { 'X-NuGet-ApiKey': closed.adminKey, Accept: 'text/html' };
      const body = new Uint8Array(makeNupkg({ id: 'kept', version: '1.0.0' }));
      await fetch(`${closed.url}/nuget/`, { method: 'PUT', headers, body });
      for (const path of ['/', '/packages/kept']) {
        const html = await (await fetch(`${closed.url}${path}`, { headers })).text();
        expect([path, html.includes('Reading needs a key here'), html.includes('Scoop needs none')]).toEqual([
          path,
          isNeeded,
          isScoopFree,
        ]);
      }
    } finally {
      await closed.stop();
    }
  });

  it('keep the search text in its field', async () => {
    expect((await page('/?q=no%22such')).html).toContain('value="no&quot;such"');
  });

  it('have one frame, error pages too', async () => {
    const { status, html, policy } = await page('/packages/nosuch');
    const home = await page('/');

    expect(status).toBe(404);
    for (const part of ['<link rel="stylesheet"', '<header class="top">', 'name="q"', '<footer>']) {
      expect(html).toContain(part);
      expect(home.html).toContain(part);
    }
    expect(html).toContain('<a href="/">All packages</a>');
    expect(policy).toBe(home.policy);
  });

  it('show the last page for a number beyond it', async () => {
    const { html } = await page('/?page=2');

    expect(html).toContain('href="/packages/sample"');
    expect(html).not.toContain('aria-label="Pages"');
  });

  it('show the id beside a title that differs from it, and let the title not change how the id reads', async () => {
    expect((await page('/packages/titled')).html).toMatch(/A Title <code class="[^"]*">titled<\/code>/);
    expect((await page('/packages/sample')).html).toContain('<h1>sample </h1>');
  });

  it('have one block a client, with its commands for the stable version and the beta', async () => {
    const { html } = await page('/packages/sample');

    expect(summariesOf(html)).toEqual(['Chocolatey', 'NuGet']);
    expect(html).toMatch(
      /<summary>Chocolatey<\/summary>.*Stable 1\.0\.0.*Beta 1\.1\.0-beta\.1.*<summary>NuGet<\/summary>/s,
    );
  });

  it.each([
    {
      name: 'a library',
      id: 'a.library',
      options: { files: { 'lib/net8.0/a.dll': 'MZ' } },
      clients: ['dotnet', 'NuGet'],
      line: 'dotnet add package a.library',
    },
    {
      name: 'a .NET tool',
      id: 'a.tool',
      options: { files: { 'tools/net8.0/any/DotnetToolSettings.xml': '<DotNetCliTool/>' } },
      clients: ['dotnet'],
      line: 'dotnet tool install --global a.tool',
    },
    {
      name: 'a .NET tool by its type alone',
      id: 'a.typed.tool',
      options: { metadataXml: '<packageTypes><packageType name="DotnetTool" /></packageTypes>' },
      clients: ['dotnet'],
      line: 'dotnet tool install --global a.typed.tool',
    },
    {
      name: 'a set of templates',
      id: 'a.template',
      options: { files: { 'content/.template.config/template.json': '{}' } },
      clients: ['dotnet'],
      line: 'dotnet new install a.template',
    },
    {
      name: 'a PowerShell module',
      id: 'a.module',
      options: { metadata: { tags: 'PSModule PSCommand_Get-A' }, files: { 'a.module.psd1': '@{}' } },
      clients: ['PowerShell'],
      line: 'Install-PSResource a.module -Repository go-win-tools',
    },
  ])(
    'offer $name to the clients that can use it, there and in the list',
    async ({ id, options, clients, line }) => {
      const nupkg = makeNupkg({ id, version: '1.0.0', ...options });
      const answer = await pushNupkg(server, nupkg, server.adminKey);
      expect(answer.status, await answer.text()).toBe(201);
      const { html } = await page(`/packages/${id}`);
      const home = await page('/');

      expect(summariesOf(html)).toEqual(clients);
      expect(html).toContain(line);
      expect(home.html).toContain(line);
      expect(`${html}${home.html}`).not.toContain(`choco install ${id}`);
    },
  );

  it.each([
    { query: '', open: 'Chocolatey' },
    { query: '?client=nuget', open: 'NuGet' },
    { query: '?client=nobody', open: 'Chocolatey' },
  ])('open the commands of the client that a link names: $query', async ({ query, open }) => {
    const { html } = await page(`/packages/sample${query}`);

    expect(/<details name="client" open><summary>(.*?)</.exec(html)?.[1]).toBe(open);
    expect(html.match(/<details name="client" open>/g)).toHaveLength(1);
  });

  it('give the exact commands, with the address of this server as their source', async () => {
    const { html } = await page('/');

    expect(html).toContain(`choco install sample -s ${server.publicUrl}/nuget`);
    expect(html).toContain(`choco install newborn --pre -s ${server.publicUrl}/nuget`);
    expect(html).toContain(`scoop bucket add go-win-tools ${server.publicUrl}/git/main/go-win-tools.git`);
    expect(html).toContain(`curl.exe -fsSLO ${server.publicUrl}/install.cmd`);
  });

  it('show no Scoop command for a package that the bucket does not have', async () => {
    const { html } = await page('/packages/sample');

    expect(html).toContain('choco install sample');
    expect(html).not.toContain('scoop install');
  });

  it('show all versions of a package, whatever the case its id is asked in', async () => {
    const { status, html } = await page('/packages/SAMPLE');

    expect(status).toBe(200);
    expect(html).toContain('/nuget/package/sample/1.0.0');
    expect(html).toContain('/nuget/package/sample/1.1.0-beta.1');
  });

  it('link the list of what the exes are made of if there is one', async () => {
    const path = '/dl/sample/1.0.0/sample.cdx.json';
    expect((await page('/packages/sample')).html).not.toContain('.cdx.json');
    const headers = { 'X-NuGet-ApiKey': server.adminKey };
    expect((await fetch(`${server.url}${path}`, { method: 'PUT', headers, body: '{}' })).status).toBe(201);

    const { html } = await page('/packages/sample');
    expect(html.match(/[^"]+\.cdx\.json/g)).toEqual([path]);
  });

  it('show release notes as plain text, and an address alone as a link', async () => {
    const { html } = await page('/packages/newborn');

    expect(html).toContain('## Changes\n&lt;/pre>&lt;script>alert(2)&lt;/script> [bad](javascript:alert(1))');
    expect(html).not.toMatch(/<(script|img)/i);
    expect((await page('/packages/sample')).html).toContain(
      '<a href="https://example.org/sample/notes?a=1&amp;b=&quot;" rel="noreferrer">',
    );
  });

  it('show what dotnet pack wrote: license, owners, type, repository, icon and readme', async () => {
    const png = Buffer.from('89504e470d0a1a0a', 'hex');
    const nupkg = makeNupkg({
      id: 'Full.Meta',
      metadata: { owners: 'Meta team', icon: 'i.png', readme: 'r.md', requireLicenseAcceptance: 'true' },
      metadataXml:
        '<license type="file">l.txt</license><packageTypes><packageType name="Template"/></packageTypes>' +
        '<repository type="git" url="javascript:alert(1)" branch="main" commit="0123abc"/>',
      files: {
        'i.png': png,
        'l.txt': 'l',
        'r.md': '## How\n<script>alert(4)</script> ![spy](https://spy.example/y.png)',
      },
    });
    expect((await pushNupkg(server, nupkg, server.adminKey)).status).toBe(201);

    const { html } = await page('/packages/full.meta');
    expect(html).toContain('<dd>Meta team</dd>');
    expect(html).toContain('<a href="/v3/flat/full.meta/1.0.0/license" rel="noreferrer">License text</a>');
    expect(html).toContain('Must be accepted');
    expect(html).toContain('<dd>Template</dd>');
    expect(html).toContain('javascript:alert(1) (main 0123abc)');
    expect(html).not.toMatch(/href="javascript|<script|src="https:/);
    expect(html).toContain('src="/v3/flat/full.meta/1.0.0/icon"');
    expect(html).toContain('<h2>How</h2>');
    expect((await page('/v3/flat/full.meta/1.0.0/icon')).status).toBe(200);
  });

  it('show an expression as the name of a license, and no icon where that would ask everybody for a key', async () => {
    const closed = await startTestServer({ readAuth: 'feed' });
    try {
      const nupkg = makeNupkg({
        metadata: { icon: 'i.png', licenseUrl: 'https://licenses.nuget.org/MIT' },
        metadataXml: '<license type="expression">MIT</license>',
        files: { 'i.png': 'i' },
      });
      await pushNupkg(closed, nupkg, closed.adminKey);
      const html = await (await fetch(`${closed.url}/packages/sample`)).text();

      expect(html).toContain('<a href="https://licenses.nuget.org/MIT" rel="noreferrer">MIT</a>');
      expect(html).not.toContain('<img');
    } finally {
      await closed.stop();
    }
  });

  it('help to report a problem, listed or not', async () => {
    const { status, html } = await page('/packages/newborn/0.1.0-BETA.1/report');

    expect(status).toBe(200);
    expect(html).toContain('not from nuget.org');
    expect(html).toContain('Package: newborn 0.1.0-beta.1');
    expect(html).toContain('href="https://example.org/newborn"');
    expect((await page('/packages/newborn')).html).toContain('href="/packages/newborn/0.1.0-beta.1/report"');
    expect((await page('/packages/newborn/9.0.0/report')).status).toBe(404);
  });

  // NuGet.Protocol 5.7 to 8.0 open the templates of the v3 index so.
  it.each([
    '/packages/%7Bid%7D',
    '/packages/%7Bid%7D/%7Bversion%7D/report',
    '/packages/%7bid%7d/1.0.0/ReportAbuse',
    '/packages/{id}',
  ])('help at the address that a client did not fill in: %s', async (path) => {
    const answer = await sendRaw(server.url, `GET ${path} HTTP/1.1`, { Host: 'x' });

    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(answer.body.toString()).toContain('Which package?');
  });

  it('say of a package whose versions are all unlisted that it is', async () => {
    await push('Withdrawn', '1.0.0');
    const headers = { 'X-NuGet-ApiKey': server.adminKey };
    await fetch(`${server.url}/nuget/withdrawn/1.0.0`, { method: 'DELETE', headers });

    const { status, html } = await page('/packages/withdrawn');
    expect([status, html.includes('<h1>Withdrawn</h1>')]).toEqual([200, true]);
    expect(html).toContain('No version of this package is listed.');
    expect((await page('/packages/withdrawn/1.0.0/report')).status).toBe(200);
  });

  it('answer a missing package with 404 and a sentence', async () => {
    const { status, html } = await page('/packages/missing');

    expect(status).toBe(404);
    expect(html).toContain('This feed has no package missing');
  });

  it('find packages by a word, and say so when there is none', async () => {
    expect((await page('/?q=newborn')).html).not.toContain('/packages/sample');
    expect((await page('/?q=nothing-like-it')).html).toContain('Nothing matches');
  });

  it('never let the text of a package become markup, script or a request elsewhere', async () => {
    const { html } = await page('/packages/newborn');
    const home = await page('/');

    expect(html).toContain('<strong>well</strong>');
    expect(html).not.toContain('<script');
    expect(html).not.toContain('href="javascript:');
    expect(html).not.toContain('<img');
    expect(home.html).toContain('Stable &amp; &lt;b>bold');
    expect(home.policy).toContain("default-src 'none'");
  });

  it('include their style sheet', async () => {
    const answer = await fetch(`${server.url}/static/gallery.css`);

    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toContain('text/css');
  });
});
