import { spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../kit/free-port.ts';
import { type Listening, listen } from '../kit/listen.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { fencedBlocks } from '../kit/page-commands.ts';
import { hasProgram, mustRun } from '../kit/programs.ts';
import { makeTempDir, productDir, pushNupkg, startTestServer, type TestServer } from '../kit/test-server.ts';
import { until } from '../kit/until.ts';
import { whenEnded } from '../kit/when-ended.ts';

const signedOn = { Cookie: '_oauth2_proxy=yes' };

describe.skipIf(!hasProgram('nginx'))(
  'sign-on for the pages, by the nginx of the guide (needs nginx)',
  () => {
    let server: TestServer;
    let oauth2: Listening;
    let url: string;
    let dir: string;
    let endNginx: () => Promise<unknown>;
    beforeAll(async () => {
      const port = await freePort();
      url = `http://127.0.0.1:${port}`;
      server = await startTestServer({ publicUrl: url, trustProxy: ['127.0.0.1'] });
      await pushNupkg(server, makeNupkg({ id: 'buf', version: '1.32.0' }), server.adminKey);
      // says yes or no, and has a form to sign on with, as oauth2-proxy does
      oauth2 = await listen((request, response) => {
        const isKnown = request.headers.cookie?.includes('_oauth2_proxy=yes') === true;
        response.statusCode = request.url?.startsWith('/oauth2/auth') && !isKnown ? 401 : 202;
        response.end(request.url);
      });
      dir = await makeTempDir();
      await mkdir(join(dir, 'logs'));
      const page = await readFile(join(productDir, 'docs/operate/sign-on.md'), 'utf8');
      const [block = ''] = fencedBlocks(page, 'nginx');
      const config = block
        .replaceAll('127.0.0.1:8080', new URL(server.url).host)
        .replaceAll('127.0.0.1:4180', new URL(oauth2.url).host)
        // the stand-in's cookie is for http, too
        .replace('listen 443 ssl', `listen 127.0.0.1:${port}`)
        .replace(/^ *ssl_certificate.*\n/gm, '');
      await writeFile(
        join(dir, 'nginx.conf'),
        `daemon off; pid ${dir}/nginx.pid; error_log stderr; events {}
       http { access_log off; client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy; ${config} }`,
      );
      const nginx = spawn('nginx', ['-p', dir, '-c', join(dir, 'nginx.conf')], { stdio: 'ignore' });
      const ended = whenEnded(nginx);
      endNginx = () => {
        nginx.kill('SIGTERM');
        return ended;
      };
      await until(() =>
        fetch(`${url}/readyz`).then(
          ({ ok }) => ok || nginx.exitCode !== null,
          () => nginx.exitCode !== null,
        ),
      );
    });
    afterAll(async () => {
      await endNginx?.();
      await oauth2?.stop();
      await server?.stop();
      await rm(dir, { recursive: true, force: true });
    });

    it.each(['/', '/packages/buf', '/rollouts', '/rollouts/1'])(
      'asks people to sign on: %s',
      async (path) => {
        const stranger = await fetch(url + path, { redirect: 'manual' });

        expect([stranger.status, stranger.headers.get('location')]).toEqual([
          302,
          `${url}/oauth2/start?rd=${path}`,
        ]);
        const known = await fetch(url + path, { headers: signedOn });
        expect(known.status).toBe(path === '/rollouts/1' ? 404 : 200);
      },
    );

    it('lets programs through as before', async () => {
      for (const path of [
        '/nuget',
        "/nuget/FindPackagesById()?id='buf'",
        '/v3/index.json',
        '/install.ps1',
        '/healthz',
      ]) {
        expect((await fetch(url + path, { redirect: 'manual' })).status, path).toBe(200);
      }
      const pushed = await pushNupkg({ url }, makeNupkg({ id: 'buf', version: '1.33.0' }), server.adminKey);
      expect(pushed.status).toBe(201);
      await mustRun('git', ['clone', '-q', `${url}/git/main/go-win-tools.git`, join(dir, 'clone')]);
    });

    it('answers nobody who asks for the decision itself', async () => {
      expect((await fetch(`${url}/oauth2/auth`, { headers: signedOn })).status).toBe(404);
      expect((await fetch(`${url}/oauth2/start`)).status).toBe(202);
    });
  },
);
