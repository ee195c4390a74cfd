import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { makeNupkg } from '../kit/nupkg.ts';
import { hasProgram, isRoot, mustRun } from '../kit/programs.ts';
import { openSocket } from '../kit/raw-http.ts';
import { makeTempDir, pushNupkg, startTestServer } from '../kit/test-server.ts';

describe('serve', () => {
  it('picks a free port for PORT=0 and makes its links from it', async () => {
    const server = await startTestServer();

    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d+$/);
    expect(server.publicUrl).toBe(server.url);
    expect(await (await fetch(`${server.url}/nuget`)).text()).toContain(`xml:base="${server.url}/nuget/"`);
    await server.stop();
  });

  it('makes its links from PUBLIC_URL when that is set, whatever Host and X-Forwarded say', async () => {
    const server = await startTestServer({ publicUrl: 'https://feed.example.org' });

    const answer = await fetch(`${server.url}/nuget`, {
      headers: { 'X-Forwarded-Host': 'evil.example.org', 'X-Forwarded-Proto': 'http' },
    });

    expect(await answer.text()).toContain('xml:base="https://feed.example.org/nuget/"');
    await server.stop();
  });

  it('listens on every address under a name that works here, and warns', async () => {
    const server = await startTestServer({ host: '0.0.0.0' });

    expect(server.url).toMatch(/^http:\/\/localhost:\d+$/);
    expect((await fetch(server.url)).status).toBe(200);
    expect(server.logged()).toContain('set PUBLIC_URL');
    await server.stop();
  });

  it('reports that its port is taken, and releases the data folder', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const dataDir = await makeTempDir();

    await expect(startTestServer({ port, dataDir })).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      exitCode: 1,
      message: expect.stringContaining(`Port ${port} on 127.0.0.1 is taken`),
    });

    other.close();
    await (await startTestServer({ dataDir })).stop();
  });

  it.each([
    ['192.0.2.1', 'this machine has no such address'],
    ['no-such-host.invalid', 'no such name is known'],
  ])('reports that it cannot listen on %s, and releases the data folder', async (host, cause) => {
    const dataDir = await makeTempDir();

    await expect(startTestServer({ host, dataDir })).rejects.toMatchObject({
      code: 'HOST_UNUSABLE',
      exitCode: 1,
      message: expect.stringContaining(`cannot listen on ${host}, port 0: ${cause}.`),
    });

    await (await startTestServer({ dataDir })).stop();
  });

  it.each([
    ['blobs', 'file', 'a file stands where a folder is needed'],
    ['bucket', 'file', 'a file stands where a folder is needed'],
    ['catalog.db', 'folder', 'a folder stands where a file is needed'],
    ['lock.pid', 'folder', 'a folder stands where a file is needed'],
    ['bucket/repo.git/config', 'folder', 'git init ended with 128'],
  ])(
    'reports what is wrong in a data folder whose %s is a %s, and keeps no lock',
    async (part, kind, cause) => {
      const dataDir = await makeTempDir();
      const path = join(dataDir, part);
      if (kind === 'file') writeFileSync(path, '');
      else mkdirSync(path, { recursive: true });

      await expect(startTestServer({ dataDir })).rejects.toMatchObject({
        code: 'DATA_DIR_UNUSABLE',
        exitCode: 1,
        message: expect.stringContaining(`The data folder ${dataDir} cannot be written: ${cause}`),
      });

      rmSync(path, { recursive: true });
      await (await startTestServer({ dataDir })).stop();
    },
  );

  it.skipIf(isRoot() || process.platform === 'win32')(
    'reports what is wrong in a data folder that another user created (without root)',
    async () => {
      for (const part of ['blobs', 'bucket', 'catalog.db', 'lock.pid']) {
        const dataDir = await makeTempDir();
        await (await startTestServer({ dataDir })).stop();
        writeFileSync(join(dataDir, 'lock.pid'), '');
        chmodSync(join(dataDir, part), 0o444);

        await expect(startTestServer({ dataDir })).rejects.toMatchObject({ code: 'DATA_DIR_UNUSABLE' });
      }
    },
  );

  it('refuses a data folder that another server uses', async () => {
    const server = await startTestServer();

    await expect(startTestServer({ dataDir: server.dataDir })).rejects.toMatchObject({
      code: 'DATA_DIR_IN_USE',
    });

    await server.stop();
  });

  it('keeps what was published and counted when it stops and starts again', async () => {
    const dataDir = await makeTempDir();
    const first = await startTestServer({ dataDir });
    await pushNupkg(first, makeNupkg(), first.adminKey);
    await (await fetch(`${first.url}/nuget/package/sample/1.0.0`)).arrayBuffer();
    await first.stop();

    const second = await startTestServer({ dataDir });

    const row = await second.services.catalog.find('sample', '1.0.0');
    expect(row?.versionDownloads).toBe(1);
    await second.stop();
  });

  it('lets a running upload finish, refuses new requests, and then is gone', async () => {
    const server = await startTestServer();
    const nupkg = makeNupkg({ id: 'inflight' });
    const upload = openSocket(server.url);
    const idle = openSocket(server.url);
    const received: Buffer[] = [];
    upload.on('data', (chunk) => received.push(chunk));
    upload.write(
      `PUT /nuget/ HTTP/1.1\r\nHost: FEED\r\nX-NuGet-ApiKey: ${server.adminKey}\r\nContent-Length: ${nupkg.length}\r\n\r\n`,
    );
    upload.write(nupkg.subarray(0, 100));
    // Once another request is answered, the upload's first bytes have been taken up too.
    await (await fetch(`${server.url}/healthz`)).text();

    const stopped = server.stop();
    await once(idle, 'close');
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
    upload.write(nupkg.subarray(100));
    await once(upload, 'close');
    await stopped;

    expect(Buffer.concat(received).toString()).toMatch(/^HTTP\/1\.1 201 Created\r\n/);
    expect(server.logged()).toContain('"outcome":"drained"');
  });

  it('refuses a request over a connection that was busy when the stop began', async () => {
    const server = await startTestServer();
    const nupkg = makeNupkg({ id: 'busy' });
    const socket = openSocket(server.url);
    const received: Buffer[] = [];
    socket.on('data', (chunk) => received.push(chunk));
    const head = `PUT /nuget/ HTTP/1.1\r\nHost: FEED\r\nX-NuGet-ApiKey: ${server.adminKey}\r\nContent-Length: ${nupkg.length}\r\n\r\n`;
    socket.write(head);
    await (await fetch(`${server.url}/healthz`)).text();

    const stopped = server.stop();
    socket.write(Buffer.concat([nupkg, Buffer.from('GET /healthz HTTP/1.1\r\nHost: FEED\r\n\r\n')]));
    await once(socket, 'close');
    await stopped;

    const answers = Buffer.concat(received).toString();
    expect(answers).toContain('HTTP/1.1 201 Created');
    expect(answers).toContain('HTTP/1.1 503 The server is shutting down; try again in a moment.');
  });

  it('still serves for as long as STOP_DELAY says', async () => {
    const server = await startTestServer({ stopDelayMs: 400 });
    const begun = performance.now();

    await server.stop();

    // Timers may be a millisecond early.
    expect(performance.now() - begun).toBeGreaterThan(395);
    expect(server.logged()).toContain('"outcome":"drained"');
  });

  it('cuts off idle requests while it stops', async () => {
    const server = await startTestServer({ server: { drain: { stalledMs: 100 } } });
    const upload = openSocket(server.url);
    upload.on('error', () => undefined);
    upload.write(
      `PUT /nuget/ HTTP/1.1\r\nHost: FEED\r\nX-NuGet-ApiKey: ${server.adminKey}\r\nContent-Length: 1000\r\n\r\n`,
    );
    await (await fetch(`${server.url}/healthz`)).text();

    await server.stop();

    expect(server.logged()).toContain('"outcome":"cut off"');
  });

  it.skipIf(!hasProgram('openssl'))(
    'serves https, and loads a new certificate when it changes (needs openssl)',
    async () => {
      const dir = await makeTempDir();
      const [one, two] = [await makeCertificate(dir, 'one'), await makeCertificate(dir, 'two')];
      const tls = { certFile: join(dir, 'cert.pem'), keyFile: join(dir, 'key.pem') };
      cpSync(one.certFile, tls.certFile);
      cpSync(one.keyFile, tls.keyFile);
      const server = await startTestServer({ tls, server: { tlsPollMs: 20 } });
      expect(server.url).toMatch(/^https:/);
      expect(await peerName(server.url)).toBe('one');

      cpSync(two.certFile, tls.certFile);
      while (!server.logged().includes('the old one stays')) {
        await peerName(server.url);
      }
      expect(await peerName(server.url)).toBe('one');
      cpSync(two.keyFile, tls.keyFile);
      while ((await peerName(server.url)) !== 'two') {
        // The next look at the files finds them.
      }

      const nupkg = makeNupkg({ id: 'encrypted' });
      const upload = await openTls(server.url);
      const answer = text(upload);
      upload.write(
        `PUT /nuget/ HTTP/1.1\r\nHost: FEED\r\nX-NuGet-ApiKey: ${server.adminKey}\r\nContent-Length: ${nupkg.length}\r\n\r\n`,
      );
      await peerName(server.url);
      const stopped = server.stop();
      upload.write(nupkg);
      await stopped;
      expect(await answer).toMatch(/^HTTP\/1\.1 201 Created\r\n/);
      expect(await answer).toMatch(/\r\nStrict-Transport-Security: max-age=31536000\r\n/);
    },
  );
});

async function makeCertificate(dir: string, name: string): Promise<{ certFile: string; keyFile: string }> {
  const files = { certFile: join(dir, `${name}.crt`), keyFile: join(dir, `${name}.key`) };
  const args = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
  ];
  await mustRun('openssl', [
    ...args,
    '-subj',
    `/CN=${name}`,
    '-keyout',
    files.keyFile,
    '-out',
    files.certFile,
  ]);
  return files;
}

async function peerName(url: string): Promise<string> {
  const socket = await openTls(url);
  const name = socket.getPeerCertificate().subject.CN;
  socket.destroy();
  return String(name);
}

async function openTls(url: string): Promise<TLSSocket> {
  const { hostname, port } = new URL(url);
  const socket = connectTls({ host: hostname, port: Number(port), rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  return socket;
}
