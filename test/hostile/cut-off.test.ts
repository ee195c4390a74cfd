import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeNupkg } from '../kit/nupkg.ts';
import { openSocket } from '../kit/raw-http.ts';
import { pushNupkg, startTestServer, type TestServer } from '../kit/test-server.ts';
import { until } from '../kit/until.ts';

const nupkg = makeNupkg({ id: 'cut', files: { 'tools/noise.bin': randomBytes(2_000_000) } });
const form = Buffer.concat([
  Buffer.from('--b\r\nContent-Disposition: form-data; name=package; filename=package.nupkg\r\n\r\n'),
  nupkg,
  Buffer.from('\r\n--b--\r\n'),
]);

describe('an upload that is cut off at 60 %', () => {
  it.each([
    ['raw, with Content-Length', '', nupkg, false],
    ['raw, chunked', '', nupkg, true],
    ['a form, with Content-Length', 'Content-Type: multipart/form-data; boundary=b\r\n', form, false],
    ['a form, chunked', 'Content-Type: multipart/form-data; boundary=b\r\n', form, true],
  ])('leaves nothing: %s', async (_how, type, body, isChunked) => {
    const server = await startTestServer();
    const socket = openSocket(server.url);
    socket.on('error', () => undefined);
    const length = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
    socket.write(
      `PUT /nuget/ HTTP/1.1\r\nHost: FEED\r\nX-NuGet-ApiKey: ${server.adminKey}\r\n${type}${length}\r\n\r\n`,
    );
    const part = body.subarray(0, Math.floor(body.length * 0.6));
    if (isChunked) socket.write(`${body.length.toString(16)}\r\n`);
    socket.write(part);
    await untilUploadHas(server, part.length / 2);

    socket.resetAndDestroy();
    await untilNoUpload(server);

    expect((await fetch(`${server.url}/nuget/package/cut/1.0.0`)).status).toBe(404);
    expect(await storedFiles(server)).toEqual([]);
    expect((await pushNupkg(server, nupkg, server.adminKey)).status).toBe(201);
    expect(await storedFiles(server)).toHaveLength(1);
    await server.stop();
  });

  it('gets an error if the client is still there to read it', async () => {
    const server = await startTestServer();
    const socket = openSocket(server.url);
    const received: Buffer[] = [];
    socket.on('data', (chunk) => received.push(chunk));
    const cut = form.subarray(0, Math.floor(form.length * 0.6));
    socket.write(
      `PUT /nuget/ HTTP/1.1\r\nHost: FEED\r\nConnection: close\r\nX-NuGet-ApiKey: ${server.adminKey}\r\n` +
        `Content-Type: multipart/form-data; boundary=b\r\nContent-Length: ${cut.length}\r\n\r\n`,
    );
    socket.write(cut);
    await once(socket, 'close');

    expect(Buffer.concat(received).toString()).toMatch(/^HTTP\/1\.1 400 The upload ended early/);
    expect(await storedFiles(server)).toEqual([]);
    await server.stop();
  });
});

/** Uploads lie in blobs/tmp as long as they are uploaded. */
async function untilUploadHas(server: TestServer, bytes: number): Promise<void> {
  const dir = join(server.dataDir, 'blobs', 'tmp');
  await until(async () => {
    const [name] = await readdir(dir);
    return name !== undefined && (await stat(join(dir, name))).size >= bytes;
  });
}

async function untilNoUpload(server: TestServer): Promise<void> {
  await until(async () => (await readdir(join(server.dataDir, 'blobs', 'tmp'))).length === 0);
}

async function storedFiles(server: TestServer): Promise<string[]> {
  const entries = await readdir(join(server.dataDir, 'blobs'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}
