import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mainJs } from '../kit/main-js.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { type OidcIssuer, startOidcIssuer } from '../kit/oidc-issuer.ts';
import { hasProgram, mustRun, run } from '../kit/programs.ts';
import { startServe } from '../kit/serve-process.ts';
import { adminKey, makeTempDir, productDir, pushNupkg } from '../kit/test-server.ts';
import { whenEnded } from '../kit/when-ended.ts';

const serve = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  run(process.execPath, [mainJs, 'serve', ...args], {
    cwd: productDir,
    env,
  });

/** A token that is right, one by a key that the server was not given, and one of an issuer that it does not know. */
async function exchangeTokens(
  issuer: OidcIssuer,
  post: (path: string, json: object) => Promise<number>,
): Promise<void> {
  const trusted = { name: 'ci', issuer: issuer.url, subject: 'repo:acme/tools', audience: 'https://feed' };
  expect(await post('issuers', { url: issuer.url, keys: issuer.keySet(), source: 'a test' })).toBe(200);
  expect(await post('publishers', { ...trusted, scopes: ['push:beta'] })).toBe(201);
  const claims = { sub: trusted.subject, aud: trusted.audience };
  const exchange = (token: string) => post('token', { token });

  expect(await exchange(issuer.token(claims))).toBe(201);
  expect(await exchange(issuer.token(claims, { header: { kid: 'rotated' } }))).toBe(403);
  expect(await exchange(issuer.token({ ...claims, iss: 'https://issuer.example.org' }))).toBe(403);
}

describe('serve as a process', () => {
  it('explains every setting in its help', async () => {
    const { code, stdout } = await serve(['--help']);

    expect(code).toBe(0);
    const settings =
      'PORT HOST DATA_DIR PUBLIC_URL TLS_CERT_FILE TLS_KEY_FILE TRUST_PROXY ADMIN_API_KEY ADMIN_API_KEY_FILE READ_AUTH MAX_PACKAGE_BYTES LOG_LEVEL';
    for (const name of settings.split(' ')) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name} +[A-Z].*\\.$`, 'im'));
    }
  });

  it('lists all bad settings and exits with 2', async () => {
    const { code, stderr } = await serve([], { PORT: 'http', READ_AUTH: 'some', LOG_LEVEL: 'loud' });

    expect(code).toBe(2);
    expect(stderr).toContain('PORT: expected a whole number from 0 to 65535, found "http"');
    expect(stderr).toContain('READ_AUTH: expected feed or all');
    expect(stderr).toContain('LOG_LEVEL: expected one of');
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it('says in one sentence why it cannot start, and exits with 1', async () => {
    const dir = await makeTempDir();
    const file = join(dir, 'file');
    await writeFile(file, '');
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = String(typeof address === 'object' ? address?.port : 0);

    const taken = await serve([], { PORT: port, DATA_DIR: dir });
    const unusable = await serve([], { PORT: '0', DATA_DIR: file });

    other.close();
    expect([taken.code, taken.stderr.trim().split('\n').at(-1)]).toEqual([
      1,
      `Port ${port} on 127.0.0.1 is taken. Stop the program that uses it, or set PORT (0 picks a free one).`,
    ]);
    expect([unusable.code, unusable.stderr]).toEqual([
      1,
      expect.stringContaining(
        `The data folder ${file} cannot be written: a file stands where a folder is needed.`,
      ),
    ]);
  });

  it.skipIf(process.platform === 'win32')('ends cleanly at SIGTERM and SIGINT', async () => {
    const dataDir = await makeTempDir();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const server = await startServe({ DATA_DIR: dataDir });

      expect(await server.end(signal)).toBe(0);

      expect(server.stderr()).toContain('"msg":"stopped"');
    }
  });

  it.skipIf(process.platform === 'win32')(
    'is unready at SIGTERM and serves for STOP_DELAY, until a second SIGTERM',
    async () => {
      const server = await startServe({
        DATA_DIR: await makeTempDir(),
        ADMIN_API_KEY: adminKey,
        STOP_DELAY: '1h',
      });
      const ended = whenEnded(server.child);
      const ask = async (path: string): Promise<Response> => {
        const answer = await fetch(`${server.url}${path}`);
        await answer.clone().arrayBuffer();
        return answer;
      };
      expect((await pushNupkg(server, makeNupkg(), adminKey)).status).toBe(201);
      const listed = "/nuget/Packages(Id='sample',Version='1.0.0')";
      // Is answered from memory the second time.
      for (const _ of [1, 2]) expect((await ask(listed)).headers.get('Connection')).toBe('keep-alive');
      expect((await ask('/readyz')).status).toBe(200);

      server.child.kill('SIGTERM');

      await expect.poll(async () => (await ask('/readyz')).status).toBe(503);
      expect(await (await ask('/readyz')).text()).toBe('Not ready: the server is stopping\n');
      for (const path of ['/healthz', listed, '/nuget/package/sample/1.0.0', '/']) {
        // On a connection of its own.
        const answer = await ask(path);
        expect([path, answer.status, answer.headers.get('Connection')]).toEqual([path, 200, 'close']);
      }
      expect((await pushNupkg(server, makeNupkg({ id: 'late' }), adminKey)).status).toBe(201);

      server.child.kill('SIGTERM');
      expect(await ended).toEqual({ code: null, signal: 'SIGTERM' });
    },
  );

  it('keeps a confirmed push when it is killed right after', async () => {
    const dataDir = await makeTempDir();
    const nupkg = makeNupkg();
    const first = await startServe({ DATA_DIR: dataDir, ADMIN_API_KEY: adminKey });
    expect((await pushNupkg(first, nupkg, adminKey)).status).toBe(201);
    await first.end('SIGKILL');

    const second = await startServe({ DATA_DIR: dataDir });

    const download = await fetch(`${second.url}/nuget/package/sample/1.0.0`);
    expect(Buffer.from(await download.arrayBuffer()).equals(nupkg)).toBe(true);
    await second.end('SIGKILL');
  });

  it('keeps every confirmed push complete when it is killed amid fifty of them, and nothing incomplete', async () => {
    const dataDir = await makeTempDir();
    const nupkgs = new Map(
      Array.from({ length: 50 }, (_, n) => {
        const id = `parallel${n}`;
        return [id, makeNupkg({ id, files: { 'tools/noise.bin': randomBytes(200_000) } })];
      }),
    );
    const first = await startServe({ DATA_DIR: dataDir, ADMIN_API_KEY: adminKey });
    const answered: string[] = [];
    const pushes = [...nupkgs].map(async ([id, nupkg]) => {
      const answer = await pushNupkg(first, nupkg, adminKey);
      if (answer.status === 201) answered.push(id);
      if (answered.length === 15) first.child.kill('SIGKILL');
    });
    await Promise.allSettled(pushes);

    const second = await startServe({ DATA_DIR: dataDir, ADMIN_API_KEY: adminKey });

    expect(answered.length).toBeGreaterThanOrEqual(15);
    for (const [id, nupkg] of nupkgs) {
      const download = await fetch(`${second.url}/nuget/package/${id}/1.0.0`);
      const isWhole = Buffer.from(await download.arrayBuffer()).equals(nupkg);
      expect([id, download.status, isWhole]).toEqual(
        answered.includes(id) || download.status === 200 ? [id, 200, true] : [id, 404, false],
      );
      // Whoever got no answer may push again.
      const again = await pushNupkg(second, nupkg, adminKey);
      expect(again.status).toBe(download.status === 200 ? 409 : 201);
    }
    await second.end('SIGKILL');
  });

  it.skipIf(!hasProgram('git'))('connects to no host, whatever is requested (needs git)', async () => {
    const dir = await makeTempDir();
    const log = join(dir, 'dials');
    await writeFile(log, '');
    const issuer = await startOidcIssuer();
    const preload = new URL('../kit/no-network.mjs', import.meta.url).href;
    const { url, end } = await startServe(
      { DATA_DIR: join(dir, 'data'), ADMIN_API_KEY: adminKey, NO_NETWORK_LOG: log },
      [preload],
    );
    const headers = { 'X-NuGet-ApiKey': adminKey };
    const metadata = { projectUrl: 'https://project.example.org', iconUrl: 'https://icon.example.org/i.png' };
    const ask = async (path: string, init: RequestInit = {}) => {
      const answer = await fetch(`${url}${path}`, init);
      await answer.arrayBuffer();
      return answer.status;
    };

    expect((await pushNupkg({ url }, makeNupkg({ metadata }), adminKey)).status).toBe(201);
    const payload = '/dl/sample/1.0.0/sample-windows-amd64.exe';
    expect(await ask(payload, { method: 'PUT', headers, body: 'MZ' })).toBe(201);
    for (const path of [
      '/',
      '/packages/sample',
      '/nuget',
      '/nuget/$metadata',
      "/nuget/Search()?searchTerm='sample'",
      "/api/v2/Packages(Id='sample',Version='1.0.0')",
      '/nuget/package/sample/1.0.0',
      payload,
      `${payload}.sha256`,
      '/api/v1/server',
      '/healthz',
      '/readyz',
    ]) {
      expect([path, await ask(path)]).toEqual([path, 200]);
    }
    expect(await ask('/m/sample.json')).toBe(404);
    await exchangeTokens(issuer, (path, json) =>
      ask(`/api/v1/${path}`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(json),
      }),
    );
    await mustRun('git', ['clone', '-q', `${url}/git/main/go-win-tools.git`, join(dir, 'clone')]);
    expect(await ask('/nuget/sample/1.0.0', { method: 'DELETE', headers })).toBe(200);
    await end('SIGTERM');

    expect(await readFile(log, 'utf8')).toBe('');
    expect([...issuer.asked]).toEqual([]);
    await issuer.stop();
  });

  it('would notice an outbound connection', async () => {
    const dir = await makeTempDir();
    const log = join(dir, 'dials');
    await writeFile(log, '');
    const preload = new URL('../kit/no-network.mjs', import.meta.url).href;
    const script =
      "await fetch('http://127.0.0.1:9/').catch(() => 0); await fetch('http://feed.example.org/').catch(() => 0)";

    await run(process.execPath, ['--import', preload, '--input-type=module', '-e', script], {
      env: { NO_NETWORK_LOG: log },
    });

    expect(await readFile(log, 'utf8')).toMatch(/^(net\.connect|dns\.lookup)/);
  });
});
