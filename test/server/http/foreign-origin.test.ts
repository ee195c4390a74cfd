import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNupkg } from '../../kit/nupkg.ts';
import { sendRaw } from '../../kit/raw-http.ts';
import { pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';

describe('a page of another site', () => {
  let server: TestServer;
  let host: string;
  beforeAll(async () => {
    server = await startTestServer({ publicUrl: 'https://Feed.example.org/tools', trustProxy: ['loopback'] });
    host = new URL(server.url).host;
    await pushNupkg(server, makeNupkg({ id: 'there' }), server.adminKey);
  });
  afterAll(() => server.stop());

  const send = (request: string, ...headers: string[]) =>
    sendRaw(
      server.url,
      [
        `${request} HTTP/1.1`,
        ...(headers.some((line) => line.startsWith('Host:')) ? [] : [`Host: ${host}`]),
        `Authorization: Basic ${btoa(`any:${server.adminKey}`)}`,
        'Content-Length: 0',
        'Connection: close',
        ...headers,
        '',
        '',
      ].join('\r\n'),
    );

  const changing = [
    'PUT /nuget/',
    'PUT /api/v2/package',
    'PUT /v3/publish',
    'DELETE /nuget/package/there/1.0.0',
    'POST /api/v2/package/there/1.0.0',
    'PUT /dl/there/1.0.0/there-windows-amd64.exe',
    'POST /git/main/go-win-tools.git/git-receive-pack',
    'POST /api/v1/keys',
    'DELETE /api/v1/keys/x',
    'PATCH /api/v1/keys',
    'POST /packages/there',
    'PROPFIND /nuget',
  ];
  it.each(changing)('changes nothing with %s', async (request) => {
    for (const headers of [
      ['Origin: https://evil.example.org'],
      ['Origin: null'],
      ['Origin: https://feed.example.org.evil.example'],
      ['Origin: http://feed.example.org'],
      [`Origin: http://${host}, https://evil.example.org`],
      ['Origin: https://evil.example.org', `Origin: http://${host}`],
      ['Origin:'],
      ['Sec-Fetch-Site: cross-site'],
      ['Sec-Fetch-Site: Cross-Site', `Origin: http://${host}`],
      ['Sec-Fetch-Site: same-origin', 'Sec-Fetch-Site: cross-site'],
    ]) {
      const answer = await send(request, ...headers);
      expect([answer.status, answer.reason], headers.join()).toEqual([
        403,
        expect.stringContaining('comes from a page of another site'),
      ]);
    }
    expect((await fetch(`${server.url}/nuget/package/there/1.0.0`)).status).toBe(200);
  });

  it.each([
    ['of PUBLIC_URL', ['Origin: https://feed.example.org', 'Sec-Fetch-Site: same-origin']],
    ['of the address it was sent to', ['ORIGIN']],
    [
      'of a trusted proxy',
      ['Origin: https://proxy.example', 'X-Forwarded-Proto: https', 'Host: proxy.example'],
    ],
    ['none, as programs send it', []],
    ['none, typed by a user', ['Sec-Fetch-Site: none']],
  ])('is not recognized by the origin %s', async (_what, headers) => {
    const own = headers.map((line) => (line === 'ORIGIN' ? `Origin: http://${host}` : line));

    expect((await send('DELETE /nuget/package/there/1.0.0', ...own)).status).toBe(200);
  });

  it('may read what is open', async () => {
    const answer = await send('GET /nuget', 'Origin: https://evil.example.org', 'Sec-Fetch-Site: cross-site');

    expect(answer.status).toBe(200);
    // Over plain http it means nothing (RFC 6797 7.2).
    expect(answer.headers['strict-transport-security']).toBeUndefined();
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it('changes no method by a header or a parameter', async () => {
    await pushNupkg(server, makeNupkg({ id: 'still' }), server.adminKey);
    for (const name of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override']) {
      for (const method of ['GET', 'POST', 'HEAD', 'OPTIONS']) {
        await send(`${method} /nuget/package/still/1.0.0?_method=DELETE`, `${name}: DELETE`);
      }
    }

    const audit = await fetch(`${server.url}/api/v1/audit?id=still`, {
      headers: { 'X-NuGet-ApiKey': server.adminKey },
    });
    const { entries } = (await audit.json()) as { entries: { kind: string }[] };
    expect(entries.map(({ kind }) => kind)).toContain('package published');
    expect(entries.map(({ kind }) => kind)).not.toContain('package unlisted');
  });
});
