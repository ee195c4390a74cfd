import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pushNupkg, startHouse, type TestHouse } from '../kit/house.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { openSocket } from '../kit/raw-http.ts';
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
    const house = await startHouse();
    const socket = openSocket(house.url);
    socket.on('error', () => undefined);
    const length = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
    socket.write(
      `PUT /nuget/ HTTP/1.1\r\nHost: FEED\r\nX-NuGet-ApiKey: ${house.adminKey}\r\n${type}${length}\r\n\r\n`,
    );
    const part = body.subarray(0, Math.floor(body.length * 0.6));
    if (isChunked) socket.write(`${body.length.toString(16)}\r\n`);
    socket.write(part);
    await untilDraftHas(house, part.length / 2);

    socket.resetAndDestroy();
    await untilNoDraft(house);

    expect((await fetch(`${house.url}/nuget/package/cut/1.0.0`)).status).toBe(404);
    expect(await storedFiles(house)).toEqual([]);
    expect((await pushNupkg(house, nupkg, house.adminKey)).status).toBe(201);
    expect(await storedFiles(house)).toHaveLength(1);
    await house.stop();
  });

  it('is told so, when it is still there to hear it', async () => {
    const house = await startHouse();
    const socket = openSocket(house.url);
    const received: Buffer[] = [];
    socket.on('data', (chunk) => received.push(chunk));
    const cut = form.subarray(0, Math.floor(form.length * 0.6));
    socket.write(
      `PUT /nuget/ HTTP/1.1\r\nHost: FEED\r\nConnection: close\r\nX-NuGet-ApiKey: ${house.adminKey}\r\n` +
        `Content-Type: multipart/form-data; boundary=b\r\nContent-Length: ${cut.length}\r\n\r\n`,
    );
    socket.write(cut);
    await once(socket, 'close');

    expect(Buffer.concat(received).toString()).toMatch(/^HTTP\/1\.1 400 The upload ended early/);
    expect(await storedFiles(house)).toEqual([]);
    await house.stop();
  });
});

/** Drafts lie in blobs/tmp as long as they are uploaded. */
async function untilDraftHas(house: TestHouse, bytes: number): Promise<void> {
  const dir = join(house.dataDir, 'blobs', 'tmp');
  await until(async () => {
    const [name] = await readdir(dir);
    return name !== undefined && (await stat(join(dir, name))).size >= bytes;
  });
}

async function untilNoDraft(house: TestHouse): Promise<void> {
  await until(async () => (await readdir(join(house.dataDir, 'blobs', 'tmp'))).length === 0);
}

async function storedFiles(house: TestHouse): Promise<string[]> {
  const entries = await readdir(join(house.dataDir, 'blobs'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}
