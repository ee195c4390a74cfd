import { afterEach, describe, expect, it } from 'vitest';
import { makeNupkg } from '../../kit/nupkg.ts';
import { openSocket } from '../../kit/raw-http.ts';
import { makeKey, pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';

describe('a download', () => {
  let server: TestServer;
  afterEach(() => server.stop());

  type Line = Record<string, unknown>;
  const lines = (): Line[] =>
    server
      .logged()
      .split('\n')
      .filter((line) => line.includes('"msg":"request"'))
      .map((line) => JSON.parse(line));
  async function get(path: string, headers: Record<string, string> = {}): Promise<number> {
    const answer = await fetch(`${server.url}${path}`, { headers });
    await answer.arrayBuffer();
    return answer.status;
  }
  async function whoHas(id: string): Promise<Line[]> {
    const answer = await fetch(`${server.url}/api/v1/downloads?id=${id}`, {
      headers: { 'X-NuGet-ApiKey': server.adminKey },
    });
    return (await answer.json()) as Line[];
  }

  it.each([
    ['v2', '/nuget/package/TOOL/1.0'],
    ['v3', '/v3/flat/tool/1.0.0/tool.1.0.0.nupkg'],
  ])('by %s is logged and counted, first and again', async (_door, path) => {
    server = await startTestServer({ readAuth: 'feed', trustProxy: ['loopback'] });
    await pushNupkg(server, makeNupkg({ id: 'Tool' }), server.adminKey);
    const key = await makeKey(server, ['read']);
    const headers = {
      'X-NuGet-ApiKey': key,
      'User-Agent': `choco/2.5\t${'x'.repeat(300)}`,
      'X-Forwarded-For': '203.0.113.7',
    };

    expect([await get(path, headers), await get(path, headers)]).toEqual([200, 200]);
    expect(await get(path, { ...headers, Range: 'bytes=0-9' })).toBe(206);
    await fetch(`${server.url}${path}`, { method: 'HEAD', headers });

    const client = `choco/2.5 ${'x'.repeat(190)}`;
    const recipient = { keyName: 'read', from: '203.0.113.7', client };
    expect(await whoHas('tool')).toEqual([
      {
        id: 'Tool',
        version: '1.0.0',
        ...recipient,
        count: 2,
        first: expect.any(String),
        last: expect.any(String),
      },
    ]);
    await server.stop();
    const told = lines().filter(({ url }) => url === path);
    expect(told).toHaveLength(4);
    for (const line of told.slice(0, 3))
      expect(line).toMatchObject({ id: 'Tool', version: '1.0.0', ...recipient });
  });

  it('counts for a client that closes as soon as it has the last byte', async () => {
    server = await startTestServer();
    const bytes = Buffer.alloc(700_000, 'exe');
    const path = '/dl/buf/1.32.0/buf-windows-amd64.exe';
    const headers = { 'X-NuGet-ApiKey': server.adminKey };
    await fetch(`${server.url}${path}`, { method: 'PUT', headers, body: bytes });

    for (let n = 0; n < 10; n += 1) await readAndHangUp(server.url, path, bytes.length);

    await expect.poll(() => whoHas('buf')).toMatchObject([{ count: 10 }]);
  });

  it('by Scoop is logged and counted with its file', async () => {
    server = await startTestServer();
    const path = '/dl/buf/1.32.0/buf-windows-amd64.exe';
    await fetch(`${server.url}${path}`, {
      method: 'PUT',
      headers: { 'X-NuGet-ApiKey': server.adminKey },
      body: 'exe',
    });

    await get(path, { 'User-Agent': 'Scoop/1.0' });
    await get(`${path}.sha256`, { 'User-Agent': 'Scoop/1.0' });

    const what = { id: 'buf', version: '1.32.0', file: 'buf-windows-amd64.exe', client: 'Scoop/1.0' };
    expect(await whoHas('buf')).toMatchObject([{ ...what, count: 1 }]);
    await server.stop();
    expect(lines().filter(({ file }) => file !== undefined)).toMatchObject([{ url: path, ...what }]);
  });
});

/** As curl does it: the connection is closed once Content-Length bytes are there. */
function readAndHangUp(url: string, path: string, length: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = openSocket(url);
    let received = Buffer.alloc(0);
    socket.once('error', reject);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const end = received.indexOf('\r\n\r\n');
      if (end >= 0 && received.length - end - 4 >= length) {
        socket.destroy();
        resolve();
      }
    });
    socket.write(`GET ${path} HTTP/1.1\r\nHost: feed\r\n\r\n`);
  });
}
