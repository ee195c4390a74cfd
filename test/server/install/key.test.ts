import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { productDir } from '../../kit/house.ts';
import { hasProgram, run } from '../../kit/programs.ts';

describe.skipIf(!hasProgram('pwsh'))('the key for reading, tried by install.ps1 (needs pwsh)', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function listen(answer: Parameters<typeof createServer>[1]): Promise<string> {
    const server = createServer(answer as never).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it.each([301, 307])('is taken to no other server by a redirect (%i), and is not said', async (status) => {
    const keys: unknown[] = [];
    const elsewhere = await listen((req, res) => {
      keys.push(req.headers['x-nuget-apikey']);
      res.writeHead(200, { 'Content-Type': 'application/json' }).end('{"name":"x","scopes":["read"]}');
    });
    const feed = await listen((req, res) => {
      res.writeHead(status, { Location: `${elsewhere}${req.url}` }).end();
    });
    const part = await readFile(join(productDir, 'server/install/script/key.ps1'), 'utf8');
    const text = `${part}\n$BaseUrl = '${feed}'; $KeyFile = ''; "KEY IS $(Get-ReadKey)"`;
    const result = await run('pwsh', ['-NoProfile', '-NonInteractive', '-Command', text], {
      env: { GO_WIN_TOOLS_KEY: 'a-key-for-reading' },
    });

    expect(result.code).toBe(1);
    expect(keys).toEqual([]);
    expect(result.stdout + result.stderr).toContain('does not take this key');
    expect(result.stdout + result.stderr).not.toContain('a-key-for-reading');
  });
});
