import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text as streamText } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNupkg } from '../kit/nupkg.ts';
import { versionsOn } from '../kit/published.ts';
import { openSocket, sendRaw } from '../kit/raw-http.ts';
import { makeKey, pushNupkg, startTestServer, type TestServer } from '../kit/test-server.ts';
import { until } from '../kit/until.ts';

describe('choco push', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ maxPackageBytes: 1024 ** 2 });
  });
  afterAll(() => server.stop());

  it('publishes a package, which is then on the feed byte for byte', async () => {
    const nupkg = makeNupkg({ id: 'roundtrip', version: '1.2.0' });

    const answer = await pushNupkg(server, nupkg, server.adminKey);

    expect([answer.status, answer.statusText]).toEqual([201, 'Created']);
    const download = await fetch(`${server.url}/nuget/package/RoundTrip/1.2`);
    expect(Buffer.from(await download.arrayBuffer())).toEqual(nupkg);
    const entry = await text(server, "/nuget/Packages(Id='roundtrip',Version='1.2.0')");
    expect(entry).toContain(createHash('sha512').update(nupkg).digest('base64'));
    expect(entry).toContain(`src="${server.publicUrl}/nuget/package/roundtrip/1.2.0"`);
  });

  it.each([
    ['the feed', '/nuget'],
    ['the feed with a slash', '/nuget/'],
    ['the other base', '/api/v2'],
    ['the other base with a slash', '/api/v2/'],
    ['/package', '/nuget/package'],
    ['/package/, where a push to the site root goes too', '/api/v2/package/'],
    ['a base spelt otherwise and with two slashes', '/NuGet//'],
  ])('goes to %s', async (_name, path) => {
    const id = `to${createHash('sha1').update(path).digest('hex').slice(0, 8)}`;

    const answer = await pushNupkg(server, makeNupkg({ id }), server.adminKey, path);

    expect(answer.status).toBe(201);
    expect(await versionsOn(server, id)).toEqual(['1.0.0']);
  });

  it('is taken over HTTP/1.0 with one quoted form part, as choco 0.10.15 sends it', async () => {
    const nupkg = makeNupkg({ id: 'oldchoco' });
    const head =
      '--B\r\nContent-Disposition: form-data; name="package"; filename="package"\r\nContent-Type: application/octet-stream\r\n\r\n';
    const tail = '\r\n--B--\r\n';

    const answer = await sendRaw(
      server.url,
      'PUT /nuget/ HTTP/1.0\r\nHost: FEED\r\nUser-Agent: Chocolatey Command Line/0.10.15.0 (Unix)\r\n' +
        `X-NuGet-ApiKey: ${server.adminKey}\r\nContent-Type: multipart/form-data; boundary=B\r\n` +
        `Content-Length: ${head.length + nupkg.length + tail.length}\r\n\r\n`,
      head,
      nupkg,
      tail,
    );

    expect([answer.status, answer.reason]).toEqual([201, 'Created']);
    expect(answer.headers['content-length']).toBe('0');
    expect(answer.headers).not.toHaveProperty('transfer-encoding');
    expect(await versionsOn(server, 'oldchoco')).toEqual(['1.0.0']);
  });

  it('is taken chunked, with the form part named after the file and fields before it, as other clients send it', async () => {
    const nupkg = makeNupkg({ id: 'chunked' });
    const form = new FormData();
    form.set('note', 'a field comes first');
    form.set('chunked.1.0.0.nupkg', new Blob([new Uint8Array(nupkg)]), 'chunked.1.0.0.nupkg');
    form.set('second', new Blob(['not a package']), 'second.nupkg');
    const request = new Request(`${server.url}/nuget/`, { method: 'PUT', body: form });

    const answer = await fetch(request.url, {
      method: 'PUT',
      headers: {
        'X-NuGet-ApiKey': server.adminKey,
        'Content-Type': request.headers.get('content-type') ?? '',
      },
      body: request.body,
      duplex: 'half',
    } as RequestInit);

    expect(answer.status).toBe(201);
    expect(await versionsOn(server, 'chunked')).toEqual(['1.0.0']);
  });

  // spec nuget-v2 10.3
  it.each([
    ['1.0.0-beta.1', '', /warned 1\.0\.0-beta\.1 is hidden from choco 1\.x/],
    ['1.0.0+build', '', /warned 1\.0\.0\+build is hidden/],
    ['2.0.0-0test', '', /is hidden/],
    ['3.0.0', '<dependency id="other" version="[1.0.0-a.1]" />', /or one that it depends on/],
    ['4.0.0', '<dependency id="other" version="[1.0.0-a1]" />', undefined],
    ['5.0.0-beta1', '', undefined],
  ])('warns of %s (with %j) exactly when choco 1.x will not see it', async (version, dependency, warning) => {
    const metadataXml = `<dependencies>${dependency}</dependencies>`;

    const answer = await pushNupkg(
      server,
      makeNupkg({ id: 'warned', version, metadataXml }),
      server.adminKey,
    );

    expect(answer.status).toBe(201);
    const said = answer.headers.get('x-nuget-warning');
    if (warning === undefined) expect(said).toBeNull();
    else expect(said).toMatch(warning);
    const seen = await text(server, "/nuget/FindPackagesById()?id='warned'");
    expect(seen.includes(`<d:Version>${version}</d:Version>`)).toBe(warning === undefined);
  });

  it.each(['with Content-Length', 'chunked'])('is taken as a bare body %s', async (framing) => {
    const id = framing === 'chunked' ? 'barechunked' : 'bare';
    const nupkg = makeNupkg({ id });
    const body = framing === 'chunked' ? Readable.toWeb(Readable.from([nupkg])) : nupkg;

    const answer = await fetch(`${server.url}/nuget/`, {
      method: 'PUT',
      headers: { 'X-NuGet-ApiKey': server.adminKey },
      body,
      duplex: 'half',
    } as RequestInit);

    expect(answer.status).toBe(201);
    expect(await versionsOn(server, id)).toEqual(['1.0.0']);
  });

  it('gives sixteen parallel pushes of one version one 201 and fifteen 409, and keeps the package whole', async () => {
    const tries = Array.from({ length: 16 }, (_, index) =>
      makeNupkg({ id: 'contested', files: { 'tools/try.txt': `try ${index}` } }),
    );

    const answers = await Promise.all(tries.map((nupkg) => pushNupkg(server, nupkg, server.adminKey)));

    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(15);
    const winner = tries[statuses.indexOf(201)];
    const download = await fetch(`${server.url}/nuget/package/contested/1.0.0`);
    expect(Buffer.from(await download.arrayBuffer())).toEqual(winner);
  });

  it('answers a repeated push in the words that clients look for, in the reason phrase and in the body', async () => {
    await pushNupkg(server, makeNupkg({ id: 'twice', version: '1.0' }), server.adminKey);

    const again = await pushNupkg(server, makeNupkg({ id: 'Twice', version: '1.0.0.0' }), server.adminKey);

    const sentence = "A package with ID 'Twice' and version '1.0.0.0' already exists and cannot be modified.";
    expect([again.status, again.statusText]).toEqual([409, sentence]);
    expect(await again.text()).toBe(`${sentence}\n`);
  });

  it('reports what is wrong with a package in one Latin-1 line of at most 512 characters', async () => {
    const nupkg = makeNupkg({
      id: 'wrong',
      metadata: { title: 'ж\n'.repeat(2000) },
    });

    const answer = await pushNupkg(server, nupkg, server.adminKey);

    expect(answer.status).toBe(400);
    expect(answer.statusText).toMatch(
      /^The upload is not a package that can be published: [\x20-\x7e\xa0-\xff]+$/,
    );
    expect(answer.statusText.length).toBeLessThanOrEqual(512);
    expect(answer.statusText).toContain('title');
  });

  it.each([
    ['no zip', Buffer.from('<html>no zip</html>')],
    ['nothing', Buffer.alloc(0)],
    ['a zip without a nuspec', makeNupkg({ nuspec: undefined } as never)],
    ['a nuspec without an id', makeNupkg({ metadata: { id: undefined } as never })],
    ['a torn zip', makeNupkg().subarray(0, 300)],
  ])('refuses %s with 400', async (_name, bytes) => {
    const answer = await pushNupkg(server, bytes, server.adminKey);

    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('is not a package that can be published');
  });

  it.each([
    ['no key', {}, 401],
    ['a wrong key', { 'X-NuGet-ApiKey': 'nobody' }, 403],
    ['a wrong Bearer', { Authorization: 'Bearer nobody' }, 403],
    ['a wrong password', { Authorization: `Basic ${btoa('user:nobody')}` }, 401],
  ])(
    'answers %s only after the upload was read, so that clients see the answer',
    async (_name, headers, status) => {
      const answer = await fetch(`${server.url}/nuget/`, {
        method: 'PUT',
        headers: headers as Record<string, string>,
        body: randomBytes(512 * 1024),
      });

      expect(answer.status).toBe(status);
      expect(answer.headers.get('www-authenticate')).toBe(
        status === 401 ? 'Basic realm="go-win-tools", charset="UTF-8"' : null,
      );
      expect(answer.statusText).toBe((await answer.text()).trim());
    },
  );

  it('works over the same connection after a refusal, as nuget.exe does it', async () => {
    const nupkg = makeNupkg({ id: 'askedagain', files: { 'tools/noise.bin': randomBytes(400_000) } });
    const head = (header: string) =>
      `PUT /nuget/ HTTP/1.1\r\nHost: FEED\r\n${header}Content-Length: ${nupkg.length}\r\n\r\n`;

    const socket = openSocket(server.url);
    const answers = streamText(socket);
    socket.write(Buffer.concat([Buffer.from(head('')), nupkg]));
    const basic = `Authorization: Basic ${btoa(`any:${server.adminKey}`)}\r\nConnection: close\r\n`;
    socket.write(Buffer.concat([Buffer.from(head(basic)), nupkg]));

    expect((await answers).match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 401', 'HTTP/1.1 201']);
  });

  it('lets a key do what its scopes and ids say and nothing else', async () => {
    const beta = await makeKey(server, ['push:beta'], ['scoped*']);
    const stable = await makeKey(server, ['push'], ['scoped*']);
    const reader = await makeKey(server, ['read', 'unlist']);
    const push = async (id: string, version: string, key: string) =>
      (await pushNupkg(server, makeNupkg({ id, version }), key)).status;

    expect(await push('scoped', '1.0.0-beta.1', beta)).toBe(201);
    expect(await push('scoped', '1.0.0', beta)).toBe(403);
    expect(await push('other', '1.0.0-beta.1', beta)).toBe(403);
    expect(await push('Scoped.More', '1.0.0', stable)).toBe(201);
    expect(await push('scoped', '1.1.0-beta.1', stable)).toBe(201);
    expect(await push('other', '1.0.0', stable)).toBe(403);
    expect(await push('scoped', '2.0.0', reader)).toBe(403);
    expect(await versionsOn(server, 'scoped')).toEqual(['1.0.0-beta.1', '1.1.0-beta.1']);
  });

  it('refuses a package that is too large with 413, announced or chunked, and keeps nothing', async () => {
    const large = randomBytes(1024 ** 2 + 100_000);
    const chunked = (body: Buffer) => ({ body: Readable.toWeb(Readable.from([body])), duplex: 'half' });
    const headers = { 'X-NuGet-ApiKey': server.adminKey };

    const announced = await pushNupkg(server, large, server.adminKey);
    const bare = await fetch(`${server.url}/nuget/`, { method: 'PUT', headers, body: large });
    const flowing = await fetch(`${server.url}/nuget/`, {
      method: 'PUT',
      headers,
      ...chunked(large),
    } as unknown as RequestInit);
    const inForm = await fetch(`${server.url}/nuget/`, {
      method: 'PUT',
      headers: { ...headers, 'Content-Type': 'multipart/form-data; boundary=B' },
      ...chunked(
        Buffer.concat([
          Buffer.from('--B\r\nContent-Disposition: form-data; name=p; filename=p\r\n\r\n'),
          large,
          Buffer.from('\r\n--B--\r\n'),
        ]),
      ),
    } as unknown as RequestInit);

    for (const answer of [announced, bare, flowing, inForm]) {
      expect(answer.status).toBe(413);
      expect(answer.statusText).toContain('1048576 bytes');
    }
    expect(await uploads(server)).toEqual([]);
  });

  it.each([
    ['a bare body', '', ''],
    [
      'a form',
      'Content-Type: multipart/form-data; boundary=B\r\n',
      '--B\r\nContent-Disposition: form-data; name=p; filename=p\r\n\r\n',
    ],
  ])('keeps nothing of %s that ends early', async (_name, header, start) => {
    const nupkg = makeNupkg({ id: 'cutoff' });
    const socket = openSocket(server.url);
    socket.write(
      `PUT /nuget/ HTTP/1.1\r\nHost: FEED\r\nX-NuGet-ApiKey: ${server.adminKey}\r\n${header}Content-Length: 1000000\r\n\r\n${start}`,
    );
    // Small ones wait in memory until they are whole.
    socket.write(Buffer.concat([nupkg, Buffer.alloc(600_000)]));
    await until(async () => (await uploads(server)).length > 0);

    socket.destroy();

    await until(async () => (await uploads(server)).length === 0);
    expect(await versionsOn(server, 'cutoff')).toEqual([]);
  });

  it('refuses a form that ends without its last boundary, though the request is complete', async () => {
    const nupkg = makeNupkg({ id: 'unended' });
    const start = Buffer.from('--B\r\nContent-Disposition: form-data; name=p; filename=p\r\n\r\n');

    const answer = await fetch(`${server.url}/nuget/`, {
      method: 'PUT',
      headers: { 'X-NuGet-ApiKey': server.adminKey, 'Content-Type': 'multipart/form-data; boundary=B' },
      body: Buffer.concat([start, nupkg]),
    });

    expect(answer.status).toBe(400);
    expect(answer.statusText).toContain('nothing was stored');
    expect(await versionsOn(server, 'unended')).toEqual([]);
    expect(await uploads(server)).toEqual([]);
  });

  it.each([
    ['multipart/form-data', '--B\r\n'],
    ['multipart/form-data; boundary=', '--\r\n'],
    ['multipart/form-data; boundary=B', '--B--\r\n'],
    [
      'multipart/form-data; boundary=B',
      '--B\r\nContent-Disposition: form-data; name=field\r\n\r\nx\r\n--B--\r\n',
    ],
    ['multipart/form-data; boundary=B', 'something else'],
  ])('refuses %s with the body %j with 400', async (contentType, body) => {
    const answer = await fetch(`${server.url}/nuget/`, {
      method: 'PUT',
      headers: { 'X-NuGet-ApiKey': server.adminKey, 'Content-Type': contentType },
      body,
    });

    expect(answer.status).toBe(400);
  });

  it('unlists and lists again, as nuget delete and the gallery do', async () => {
    await pushNupkg(server, makeNupkg({ id: 'comesgoes' }), server.adminKey);
    const send = (method: string, path: string, key = server.adminKey) =>
      fetch(`${server.url}${path}`, { method, headers: { 'X-NuGet-ApiKey': key } });
    const searched = async () =>
      (await text(server, "/nuget/Search()?searchTerm='comesgoes'")).includes('<entry>');

    expect((await send('DELETE', '/nuget/ComesGoes/1.0')).status).toBe(200);
    expect(await searched()).toBe(false);
    expect((await fetch(`${server.url}/nuget/package/comesgoes/1.0.0`)).status).toBe(200);
    expect((await send('POST', '/nuget/package/comesgoes/1.0.0')).status).toBe(200);
    expect(await searched()).toBe(true);
    expect((await send('DELETE', '/api/v2/package/comesgoes/1.0.0')).status).toBe(200);
    expect(await searched()).toBe(false);
    expect((await send('DELETE', '/nuget/comesgoes/9.9.9')).status).toBe(404);
    expect((await send('POST', '/nuget/package/comesgoes/9.9.9')).status).toBe(404);
    expect((await send('DELETE', '/nuget/comesgoes/1.0.0', 'nobody')).status).toBe(403);
    expect((await send('DELETE', '/nuget/comesgoes/1.0.0', await makeKey(server, ['push']))).status).toBe(
      403,
    );
    expect((await fetch(`${server.url}/nuget/comesgoes/1.0.0`, { method: 'DELETE' })).status).toBe(401);
  });

  it('answers unsupported requests with a sentence', async () => {
    const symbols = await fetch(`${server.url}/nuget/symbolpackage`, { method: 'PUT', body: 'x' });
    const whole = await fetch(`${server.url}/nuget`, { method: 'DELETE' });
    const garbage = await fetch(`${server.url}/nuget/package/a%ZZ/1.0.0`, { method: 'DELETE' });

    expect([symbols.status, await symbols.text()]).toEqual([
      404,
      expect.stringContaining('does not accept symbol packages'),
    ]);
    expect([whole.status, whole.headers.get('allow')]).toEqual([405, 'GET, HEAD, PUT']);
    expect(garbage.status).toBe(400);
  });

  it('writes no key into the log', async () => {
    await fetch(`${server.url}/nuget/?apikey=${server.adminKey}`, {
      headers: { 'X-NuGet-ApiKey': 'wrong-secret' },
    });

    expect(server.logged()).toContain('"route":"feed"');
    expect(server.logged()).toContain('"keyName":"ADMIN_API_KEY"');
    expect(server.logged()).not.toContain(server.adminKey);
    expect(server.logged()).not.toContain('wrong-secret');
  });
});

async function text(server: TestServer, path: string): Promise<string> {
  return (await fetch(`${server.url}${path}`)).text();
}

function uploads(server: TestServer): Promise<string[]> {
  return readdir(join(server.dataDir, 'blobs', 'tmp'));
}
