import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { createWeb } from '../../../server/import/web.ts';
import { type Listening, listen } from '../../kit/listen.ts';
import { hasProgram, mustRun } from '../../kit/programs.ts';
import { makeTempDir } from '../../kit/test-server.ts';

const servers: Listening[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

async function makeCertificate(): Promise<{ key: Buffer; cert: Buffer }> {
  const dir = await makeTempDir();
  const [key, cert] = [join(dir, 'own.key'), join(dir, 'own.crt')];
  await mustRun('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=localhost'],
  ]);
  const files = { key: await readFile(key), cert: await readFile(cert) };
  await rm(dir, { recursive: true });
  return files;
}

/** Sends a byte now and then, and never comes to an end. */
async function startDribble(): Promise<URL> {
  const server = await listen((_request, response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write('x'), 10);
    response.once('close', () => clearInterval(timer));
  });
  servers.push(server);
  return new URL(server.url);
}

describe('reading other feeds', () => {
  it('does not wait forever for a slow source, page or package', async () => {
    const url = await startDribble();
    const limits = { attempts: 1, maxPageMs: 200, maxPackageMs: 200 };
    const { signal } = new AbortController();
    const web = createWeb({ userAgent: 'test', proxy: {}, signal, limits });

    const package_ = web.open(url).then(buffer);

    await expect(package_).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
    await expect(web.read(url)).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
  });

  it.skipIf(!hasProgram('openssl'))(
    'does not retry where a certificate is not trusted, and says what to do (needs openssl)',
    async () => {
      let connections = 0;
      const server = createServer(await makeCertificate());
      server.on('connection', () => connections++);
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const { port } = server.address() as AddressInfo;
      const web = createWeb({ userAgent: 'test', proxy: {}, signal: new AbortController().signal });

      const page = web.read(new URL(`https://localhost:${port}/nuget`));

      await expect(page).rejects.toMatchObject({
        code: 'SOURCE_UNREACHABLE',
        message: expect.stringMatching(/certificate.*NODE_EXTRA_CA_CERTS/),
      });
      expect(connections).toBe(1);
      server.close();
    },
  );
});
