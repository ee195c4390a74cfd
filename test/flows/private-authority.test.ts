import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openGo } from '../../go-command/command.ts';
import { createCache } from '../../system/cache/cache.ts';
import { delveRelease } from '../kit/generator.ts';
import { makePrivateAuthority, type PrivateAuthority } from '../kit/private-authority.ts';
import { hasProgram } from '../kit/programs.ts';
import { type ReleaseFixture, startReleaseFixture } from '../kit/release-fixture.ts';
import { makeTempDir, startTestServer, type TestServer } from '../kit/test-server.ts';
import { makeAccess } from '../kit/upstream-fixture.ts';

let dir: string;
let authority: PrivateAuthority;

beforeEach(async () => {
  dir = await makeTempDir();
  authority = await makePrivateAuthority(dir);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe.skipIf(!hasProgram('openssl'))(
  'a server with a certificate of a private authority (needs openssl)',
  () => {
    let testServer: TestServer;
    let fixture: ReleaseFixture;

    beforeEach(async () => {
      testServer = await startTestServer({
        tls: { certFile: authority.certFile, keyFile: authority.keyFile },
      });
      const repositories = { 'go-delve/delve': [delveRelease('1.22.0')] };
      fixture = await startReleaseFixture({ server: testServer, repositories });
    });
    afterEach(async () => {
      await fixture.stop();
      await testServer.stop();
    });

    it('is released to and read by feed and git with NODE_EXTRA_CA_CERTS', async () => {
      expect(testServer.url).toMatch(/^https:/);

      const status = await run('release:status', ['delve', '--source', 'github'], authority.caFile);
      const beta = await run('release:beta', ['delve', '--source', 'github'], authority.caFile);
      const after = await run('release:status', ['delve', '--source', 'github', '--json'], authority.caFile);

      expect(status).toMatchObject({ code: 0 });
      expect(beta).toMatchObject({ code: 0, stdout: expect.stringContaining('delve 1.22.0-beta.1') });
      expect(JSON.parse(after.stdout)).toMatchObject({ tool: 'delve', beta: '1.22.0-beta.1' });
    });

    it('is unreachable without', async () => {
      const { code, stderr } = await run('release:status', ['delve'], '');

      expect(code).toBe(4);
      expect(stderr).toContain('cannot be reached');
    });

    /** A process of its own: Node reads NODE_EXTRA_CA_CERTS when it starts. */
    async function run(verb: string, args: readonly string[], caFile: string) {
      const child = fixture.generator.spawn(verb, args, { NODE_EXTRA_CA_CERTS: caFile });
      const [stdout, stderr, [code]] = await Promise.all([
        text(child.stdout!),
        text(child.stderr!),
        once(child, 'close'),
      ]);
      return { code: code as number, stdout, stderr };
    }
  },
);

it.skipIf(!hasProgram('go') || process.platform !== 'linux')(
  "lets Go trust NODE_EXTRA_CA_CERTS besides the machine's authorities (needs go)",
  async () => {
    const module: Readonly<Record<string, string>> = {
      list: 'v1.0.0\n',
      'v1.0.0.info': '{"Version": "v1.0.0"}',
      'v1.0.0.mod': 'module example.com/tool\n',
    };
    const server = createServer(
      { cert: await readFile(authority.certFile), key: await readFile(authority.keyFile) },
      ({ url = '' }, response) => {
        const answer = module[url.replace('/example.com/tool/@v/', '')];
        response.writeHead(answer === undefined ? 404 : 200).end(answer);
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const versions = async (more: Record<string, string>): Promise<string> => {
      const env = {
        PATH: process.env.PATH,
        HOME: dir,
        GOPROXY: `https://127.0.0.1:${port}`,
        GOSUMDB: 'off',
        ...more,
      };
      const settings = { ...makeAccess(), cache: createCache(dir), env };
      const go = await openGo(settings, { tool: 'tool', version: '1.0.0', kind: 'go-module' });
      const { stdout, stderr } = await go.run({ args: ['list', '-m', '-versions', 'example.com/tool'] });
      return `${stdout}${stderr}`;
    };
    try {
      expect(await versions({})).toContain('certificate');
      expect(await versions({ NODE_EXTRA_CA_CERTS: authority.caFile })).toBe('example.com/tool v1.0.0\n');
      expect(await versions({ NODE_EXTRA_CA_CERTS: `${dir}/missing.pem` })).toContain('certificate');
    } finally {
      server.close();
      server.closeAllConnections();
    }
  },
);
