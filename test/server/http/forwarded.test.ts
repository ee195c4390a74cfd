import { afterEach, describe, expect, it } from 'vitest';
import { makeNupkg } from '../../kit/nupkg.ts';
import { sendRaw } from '../../kit/raw-http.ts';
import { pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';

/** What a client writes that wants to be somebody else, or wants others to be led elsewhere. */
const spoofed = [
  'Host: evil.example.org',
  'X-Forwarded-Host: evil.example.org',
  'X-Forwarded-Proto: gopher',
  'X-Forwarded-Port: 666',
  'X-Forwarded-Prefix: /evil',
  'Forwarded: for=1.1.1.1;host=evil.example.org;proto=https',
  'X-Original-URL: /evil',
  'X-Rewrite-URL: /evil',
];

const documents = [
  '/nuget',
  '/nuget/$metadata',
  '/nuget/Packages',
  '/nuget/FindPackagesById()?id=%27tool%27',
  '/api/v2/Packages()?$top=1',
  '/v3/index.json',
  '/v3/search?q=tool',
  '/api/v1/server',
  '/openapi.json',
  '/',
];

describe.each([
  ['without PUBLIC_URL', undefined, undefined],
  ['without PUBLIC_URL, behind a trusted proxy', undefined, ['loopback']],
  ['with PUBLIC_URL', 'https://feed.example.org/tools', undefined],
  ['with PUBLIC_URL, behind a trusted proxy', 'https://feed.example.org/tools', ['loopback']],
])('Host and X-Forwarded-*, %s,', (_name, publicUrl, trustProxy) => {
  let server: TestServer;
  afterEach(() => server.stop());

  it('appear in no link, of a general or a cached answer', async () => {
    server = await startTestServer({
      ...(publicUrl === undefined ? {} : { publicUrl }),
      ...(trustProxy === undefined ? {} : { trustProxy }),
    });
    await pushNupkg(server, makeNupkg({ id: 'tool' }), server.adminKey);

    for (const path of [...documents, ...documents]) {
      const { status, body, headers } = await sendRaw(
        server.url,
        [`GET ${path} HTTP/1.1`, ...spoofed, 'Connection: close', '', ''].join('\r\n'),
      );
      const text = `${JSON.stringify(headers)}${body.toString()}`;
      expect(status, path).toBe(200);
      expect(text, path).not.toMatch(/evil|gopher|:666/);
    }
    const [links] = [await (await fetch(`${server.url}/nuget`)).text()];
    expect(links).toContain(`xml:base="${publicUrl ?? server.url}/nuget/"`);
  });
});

describe('X-Forwarded-For', () => {
  let server: TestServer;
  afterEach(() => server.stop());

  async function addressOf(header: string): Promise<string> {
    const key = await fetch(`${server.url}/api/v1/keys`, {
      method: 'POST',
      headers: {
        'X-NuGet-ApiKey': server.adminKey,
        'Content-Type': 'application/json',
        'X-Forwarded-For': header,
      },
      body: JSON.stringify({ name: 'x', scopes: ['read'] }),
    });
    expect(key.status).toBe(201);
    const audit = await fetch(`${server.url}/api/v1/audit`, {
      headers: { 'X-NuGet-ApiKey': server.adminKey },
    });
    const { entries } = (await audit.json()) as { entries: { from: string }[] };
    return entries.at(-1)!.from;
  }

  it('counts only as far as trusted proxies wrote it', async () => {
    server = await startTestServer({ trustProxy: ['loopback', '10.0.0.0/8'] });

    expect(await addressOf('203.0.113.7')).toBe('203.0.113.7');
    expect(await addressOf('1.1.1.1, 203.0.113.7')).toBe('203.0.113.7');
    expect(await addressOf('1.1.1.1, 203.0.113.7, 10.1.2.3')).toBe('203.0.113.7');
  });

  it('is ignored without TRUST_PROXY', async () => {
    server = await startTestServer();

    expect(await addressOf('203.0.113.7')).toBe('127.0.0.1');
  });

  it('does not circumvent the delays', async () => {
    server = await startTestServer();
    const ask = async (n: number): Promise<number> =>
      (
        await fetch(`${server.url}/api/v1/keys`, {
          headers: { 'X-NuGet-ApiKey': 'wrong', 'X-Forwarded-For': `203.0.113.${n}` },
        })
      ).status;
    await Promise.all(Array.from({ length: 45 }, (_one, n) => ask(n)));

    const order: string[] = [];
    const held = ask(200).then(() => order.push('wrong'));
    await fetch(`${server.url}/healthz`);
    order.push('other');
    await held;

    expect(order).toEqual(['other', 'wrong']);
  });
});
