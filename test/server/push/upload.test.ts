import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNupkg } from '../../kit/nupkg.ts';
import { sendRaw } from '../../kit/raw-http.ts';
import { startTestServer, type TestServer } from '../../kit/test-server.ts';

type Part = { readonly head: string; readonly body: Buffer | string };

const file =
  'Content-Disposition: form-data; name="package"; filename="package"\r\nContent-Type: application/octet-stream';
const field = 'Content-Disposition: form-data; name="comment"';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

describe('an upload (spec nuget-v2 10.2)', () => {
  it.each<[string, string, (nupkg: Buffer) => Part[]]>([
    ['with a quoted boundary, as nuget.exe sends it', '"b 1"', (nupkg) => [{ head: file, body: nupkg }]],
    ['with a plain boundary', 'plain', (nupkg) => [{ head: file, body: nupkg }]],
    [
      'with names that are not quoted, as .NET sends them',
      'net',
      (nupkg) => [
        { head: 'Content-Disposition: form-data; name=package; filename=package.nupkg', body: nupkg },
      ],
    ],
    [
      'under any name of its part',
      'other',
      (nupkg) => [{ head: file.replace('name="package"', 'name="upload"'), body: nupkg }],
    ],
    [
      'behind fields',
      'fields',
      (nupkg) => [
        { head: field, body: 'first' },
        { head: file, body: nupkg },
        { head: field, body: 'last' },
      ],
    ],
    [
      'before a second file, which is left out',
      'two',
      (nupkg) => [
        { head: file, body: nupkg },
        { head: file, body: 'no package at all' },
      ],
    ],
    [
      'behind a field that is longer than is kept',
      'huge',
      (nupkg) => [
        { head: field, body: 'x'.repeat(60_000) },
        { head: file, body: nupkg },
      ],
    ],
  ])('is taken %s', async (_how, boundary, parts) => {
    const id = `form-${boundary.replace(/\W/g, '')}`;
    const nupkg = makeNupkg({ id });

    const answer = await put(formOf(boundary, parts(nupkg)), `multipart/form-data; boundary=${boundary}`);

    expect(answer.status).toBe(201);
    expect(answer.headers['content-length']).toBe('0');
    expect(await bytesOf(id)).toEqual(nupkg);
  });

  it('is accepted in chunks, as a form and as the file alone', async () => {
    const [form, raw] = [makeNupkg({ id: 'chunked-form' }), makeNupkg({ id: 'chunked-raw' })];
    const parts = formOf('c', [{ head: file, body: form }]);

    expect((await putChunked(parts, 'multipart/form-data; boundary=c')).status).toBe(201);
    expect((await putChunked(raw, 'application/octet-stream')).status).toBe(201);

    expect(await bytesOf('chunked-form')).toEqual(form);
    expect(await bytesOf('chunked-raw')).toEqual(raw);
  });

  it.each([
    ['the file alone', 'application/octet-stream'],
    ['the file alone under a type that is none', 'what ever'],
  ])('is taken as %s', async (how, type) => {
    const id = `raw-${how.length}`;
    const nupkg = makeNupkg({ id });
    expect((await put(nupkg, type)).status).toBe(201);
    expect(await bytesOf(id)).toEqual(nupkg);
  });

  it('goes to /package too', async () => {
    const nupkg = makeNupkg({ id: 'other-address' });
    expect((await put(nupkg, 'application/octet-stream', '/api/v2/package')).status).toBe(201);
  });

  it.each<[string, string, Buffer]>([
    ['a form without a file', 'multipart/form-data; boundary=b', formOf('b', [{ head: field, body: 'x' }])],
    ['an empty file', 'multipart/form-data; boundary=b', formOf('b', [{ head: file, body: '' }])],
    ['an empty body', 'application/octet-stream', Buffer.alloc(0)],
    ['a form without a boundary', 'multipart/form-data', formOf('b', [{ head: file, body: 'x' }])],
    [
      'another boundary than it says',
      'multipart/form-data; boundary=c',
      formOf('b', [{ head: file, body: 'x' }]),
    ],
    [
      'no last boundary',
      'multipart/form-data; boundary=b',
      formOf('b', [{ head: file, body: makeNupkg({ id: 'unended' }) }]).subarray(0, -8),
    ],
    [
      'something that is no package',
      'multipart/form-data; boundary=b',
      formOf('b', [{ head: file, body: 'MZ' }]),
    ],
  ])('is refused with 400 and leaves nothing: %s', async (_what, type, body) => {
    const answer = await put(body, type);

    expect(answer.status).toBe(400);
    expect(answer.reason).not.toBe('Bad Request');
    expect(await readdir(join(server.dataDir, 'blobs', 'tmp'))).toEqual([]);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });

  it('is refused when the part alone is too large, whatever the form adds', async () => {
    const small = await startTestServer({ maxPackageBytes: 2_000 });
    const form = formOf('b', [{ head: file, body: Buffer.alloc(2_001) }]);
    const answer = await put(form, 'multipart/form-data; boundary=b', '/nuget/', small);
    expect(answer.status).toBe(413);
    expect(await readdir(join(small.dataDir, 'blobs', 'tmp'))).toEqual([]);
    await small.stop();
  });
});

function formOf(boundary: string, parts: readonly Part[]): Buffer {
  const mark = boundary.replaceAll('"', '');
  return Buffer.concat([
    ...parts.flatMap(({ head, body }) => [
      Buffer.from(`--${mark}\r\n${head}\r\n\r\n`),
      Buffer.from(body),
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${mark}--\r\n`),
  ]);
}

function put(body: Buffer, type: string, path = '/nuget/', to = server) {
  return sendRaw(to.url, `${headOf(type, path, to)}Content-Length: ${body.length}\r\n\r\n`, body);
}

function putChunked(body: Buffer, type: string) {
  const half = Math.floor(body.length / 2);
  const chunks = [body.subarray(0, half), body.subarray(half)].flatMap((chunk) => [
    `${chunk.length.toString(16)}\r\n`,
    chunk,
    '\r\n',
  ]);
  return sendRaw(
    server.url,
    `${headOf(type, '/nuget/', server)}Transfer-Encoding: chunked\r\n\r\n`,
    ...chunks,
    '0\r\n\r\n',
  );
}

function headOf(type: string, path: string, { adminKey }: TestServer): string {
  return `PUT ${path} HTTP/1.1\r\nHost: feed\r\nConnection: close\r\nX-NuGet-ApiKey: ${adminKey}\r\nContent-Type: ${type}\r\n`;
}

async function bytesOf(id: string): Promise<Buffer> {
  const answer = await fetch(`${server.url}/nuget/package/${id}/1.0.0`);
  return Buffer.from(await answer.arrayBuffer());
}
