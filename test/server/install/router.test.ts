import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendRaw } from '../../kit/raw-http.ts';
import { startTestServer, type TestServer } from '../../kit/test-server.ts';

describe('the install routes', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ readAuth: 'all', publicUrl: 'https://feed.example' });
  });
  afterAll(() => server.stop());
  const ask = (path: string, init: RequestInit = {}) => fetch(server.url + path, init);

  it.each(['install.ps1', 'install.cmd'])('serve /%s to all, with its digest', async (name) => {
    const answer = await ask(`/${name}`);
    const bytes = Buffer.from(await answer.arrayBuffer());
    const digest = await ask(`/${name}.sha256`);

    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('public, no-cache');
    expect(bytes.toString()).toContain('https://feed.example/');
    expect(digest.status).toBe(200);
    expect(await digest.text()).toBe(`${createHash('sha256').update(bytes).digest('hex')}\n`);
  });

  it('make install.cmd with the digest of install.ps1, so that it runs that one or none', async () => {
    const digest = (await (await ask('/install.ps1.sha256')).text()).trim();

    expect(await (await ask('/install.cmd')).text()).toContain(`set "GO_WIN_TOOLS_SHA256=${digest}"`);
  });

  it.each(['/install.ps1', '/install.cmd', '/install.ps1.sha256', '/install.cmd.sha256'])(
    'answer HEAD, If-None-Match and wrong methods at %s',
    async (path) => {
      const head = await ask(path, { method: 'HEAD', headers: { 'Accept-Encoding': 'identity' } });
      const etag = head.headers.get('etag') ?? '';
      // raw: fetch says no-cache of its own as soon as it asks conditionally
      const again = await sendRaw(
        server.url,
        `GET ${path} HTTP/1.1\r\nHost: h\r\nIf-None-Match: ${etag}\r\nConnection: close\r\n\r\n`,
      );
      const post = await ask(path, { method: 'POST' });

      expect([head.status, await head.text()]).toEqual([200, '']);
      expect(Number(head.headers.get('content-length'))).toBeGreaterThan(60);
      expect(again.status).toBe(304);
      expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    },
  );

  it('serve nothing else there', async () => {
    expect((await ask('/install.sh')).status).toBe(404);
    expect((await ask('/install.ps1/')).status).not.toBe(500);
  });
});
