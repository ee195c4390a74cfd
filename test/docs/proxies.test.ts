import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../kit/free-port.ts';
import { haproxyConfig } from '../kit/haproxy.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { hasProgram, mustRun } from '../kit/programs.ts';
import { sendRaw } from '../kit/raw-http.ts';
import { makeTempDir, productDir, pushNupkg, startTestServer } from '../kit/test-server.ts';
import { whenEnded } from '../kit/when-ended.ts';

const guide = await readFile(join(productDir, 'docs/operate/proxies.md'), 'utf8');

/** The configuration of the guide, with the addresses of this test. */
function configOf(language: string, server: string, port: number): string {
  const [, block = ''] = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(guide) ?? [];
  return block
    .replaceAll('127.0.0.1:8080', new URL(server).host)
    .replace('listen 80', `listen 127.0.0.1:${port}`);
}

const stdio: StdioOptions = ['ignore', 'ignore', 'pipe'];
const proxies = [
  {
    program: 'nginx',
    keepsReason: true,
    async start(server: string, port: number, dir: string): Promise<ChildProcess> {
      await mkdir(join(dir, 'logs'), { recursive: true });
      const main = `daemon off; pid ${dir}/nginx.pid; error_log stderr; events {}
        http { access_log off; client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy; ${configOf('nginx', server, port)} }`;
      await writeFile(join(dir, 'nginx.conf'), main);
      return spawn('nginx', ['-p', dir, '-c', join(dir, 'nginx.conf')], { stdio });
    },
  },
  {
    program: 'caddy',
    keepsReason: false,
    async start(server: string, port: number, dir: string): Promise<ChildProcess> {
      const site = configOf('caddy', server, port).replace('http://feed.example', `http://:${port}`);
      await writeFile(join(dir, 'Caddyfile'), `{\n\tadmin off\n\tauto_https off\n}\n${site}`);
      const env = { ...process.env, HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir };
      const args = ['run', '--config', join(dir, 'Caddyfile'), '--adapter', 'caddyfile'];
      return spawn('caddy', args, { env, stdio });
    },
  },
  {
    program: 'haproxy',
    keepsReason: true,
    async start(server: string, port: number, dir: string): Promise<ChildProcess> {
      await writeFile(join(dir, 'haproxy.cfg'), await haproxyConfig(port, [server]));
      return spawn('haproxy', ['-db', '-f', join(dir, 'haproxy.cfg')], { stdio });
    },
  },
] as const;

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

describe('the guide to reverse proxies', () => {
  for (const { program, keepsReason, start } of proxies) {
    it.skipIf(!hasProgram(program))(`works with ${program} (needs ${program})`, async () => {
      const port = await freePort();
      const url = `http://127.0.0.1:${port}`;
      const dir = await makeTempDir();
      undo.push(() => rm(dir, { recursive: true, force: true }));
      const testServer = await startTestServer({ publicUrl: url, trustProxy: ['127.0.0.1'] });
      undo.push(() => testServer.stop());
      const proxy = await start(testServer.url, port, dir);
      const ended = whenEnded(proxy);
      undo.push(async () => {
        proxy.kill('SIGTERM');
        await ended;
      });
      await answers(`${url}/healthz`, proxy);
      const nupkg = await makeNupkg({ id: 'Foo', version: '1.0.0-beta.1+build' });

      const first = await pushNupkg({ url }, nupkg, testServer.adminKey);
      const second = await sendRaw(
        url,
        `PUT /nuget/ HTTP/1.1\r\nHost: feed\r\nX-NuGet-ApiKey: ${testServer.adminKey}\r\nConnection: close\r\n`,
        `Content-Length: ${nupkg.length}\r\n\r\n`,
        nupkg,
      );
      const entry = await sendRaw(
        url,
        `GET /nuget/Packages(Id='foo',Version='1.0.0-beta.1%2Bbuild')?semVerLevel=2.0.0 HTTP/1.1\r\n`,
        'Host: spoofed.example\r\nConnection: close\r\n\r\n',
      );
      const part = await fetch(`${url}/nuget/package/foo/1.0.0-beta.1`, { headers: { Range: 'bytes=0-3' } });

      expect(first.status).toBe(201);
      expect(second.status).toBe(409);
      expect(second.reason.includes('cannot be modified')).toBe(keepsReason);
      expect(second.body.toString()).toContain('cannot be modified');
      expect(entry.status).toBe(200);
      expect(entry.body.toString()).toContain(`src="${url}/nuget/package/Foo/1.0.0-beta.1"`);
      expect(part.status).toBe(206);
      expect(Buffer.from(await part.arrayBuffer()).toString('latin1')).toBe('PK\u0003\u0004');
      await mustRun('git', ['clone', '-q', `${url}/git/main/go-win-tools.git`, join(dir, 'clone')]);
    });
  }
});

async function answers(url: string, proxy: ChildProcess): Promise<void> {
  let said = '';
  proxy.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  for (let tries = 0; tries < 300 && proxy.exitCode === null; tries++) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
    if (answer?.status === 200) return;
    await sleep(100);
  }
  throw new Error(`${url} does not answer\n${said}`);
}
