import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeKey, startTestServer, type TestServer } from '../../kit/test-server.ts';

describe('payload routes', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ maxPackageBytes: 1000 });
  });
  afterAll(() => server.stop());

  const put = (path: string, body: string, key = server.adminKey) =>
    fetch(`${server.url}/dl/${path}`, { method: 'PUT', headers: { 'X-NuGet-ApiKey': key }, body });
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');

  it('keep bytes under their address forever: 201, then 200 for the same and 409 for others', async () => {
    const path = 'delve/1.22.0/dlv-windows-amd64.exe';

    expect((await put(path, 'MZ one')).status).toBe(201);
    expect((await put(path, 'MZ one')).status).toBe(200);
    const other = await put(path, 'MZ two');
    expect(other.status).toBe(409);
    expect(other.statusText).toContain(hash('MZ one'));
    expect(await (await fetch(`${server.url}/dl/${path}`)).text()).toBe('MZ one');
  });

  it('give parallel uploads of different bytes one winner', async () => {
    const path = 'delve/1.22.1/dlv-windows-amd64.exe';
    const bodies = Array.from({ length: 8 }, (_, index) => `MZ ${index}`);

    const statuses = (await Promise.all(bodies.map((body) => put(path, body)))).map(({ status }) => status);

    expect(statuses.toSorted()).toEqual([201, ...Array(7).fill(409)]);
    expect(await (await fetch(`${server.url}/dl/${path}`)).text()).toBe(bodies[statuses.indexOf(201)]);
  });

  it('answer as downloaders need it: length, strong ETag, immutable, ranges', async () => {
    await put('buf/1.32.0/buf-windows-arm64.exe', 'MZ arm64');
    const url = `${server.url}/dl/buf/1.32.0/buf-windows-arm64.exe`;
    const etag = `"${hash('MZ arm64')}"`;

    const whole = await fetch(url);
    expect(Object.fromEntries(whole.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '8',
      etag,
      'cache-control': 'public, max-age=31536000, immutable',
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
    });
    const head = await fetch(url, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '8']);
    expect((await fetch(url, { headers: { 'If-None-Match': etag } })).status).toBe(304);
    const part = await fetch(url, { headers: { Range: 'bytes=3-' } });
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([
      206,
      'bytes 3-7/8',
      'arm64',
    ]);
  });

  it('serve the bare hash beside each file', async () => {
    await put('buf/1.32.0/buf.cdx.json', '{}');

    const answer = await fetch(`${server.url}/dl/buf/1.32.0/buf.cdx.json.sha256`);

    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(await answer.text()).toBe(`${hash('{}')}\n`);
    const sbom = await fetch(`${server.url}/dl/buf/1.32.0/buf.cdx.json`);
    expect(sbom.headers.get('content-type')).toBe('application/vnd.cyclonedx+json');
    expect((await fetch(`${server.url}/dl/buf/1.32.0/none.exe.sha256`)).status).toBe(404);
  });

  it.each([
    'delve/1.22.0/dlv.exe',
    'delve/1.22.0/dlv-windows-386.exe',
    'delve/1.22.0/dlv-linux-amd64',
    'delve/1.22.0/dlv-windows-amd64.exe.sha256',
    'delve/1.22.0/other.cdx.json',
    'delve/1.22.0/-windows-amd64.exe',
    'delve/newest/dlv-windows-amd64.exe',
    'delve/1.22.0+meta/dlv-windows-amd64.exe',
    'Delve/1.22.0/dlv-windows-amd64.exe',
    '..%2F..%2Fetc/1.22.0/dlv-windows-amd64.exe',
    'delve/1.22.0/..%2Fdlv-windows-amd64.exe',
    'delve/1.22.0/..%5Cdlv-windows-amd64.exe',
  ])('refuse to store %s', async (path) => {
    const answer = await put(path, 'MZ');

    expect([answer.status, answer.statusText]).toEqual([400, expect.stringContaining('cannot be stored')]);
  });

  it('refuse an empty body, and too large ones', async () => {
    expect((await put('delve/3.0.0/dlv-windows-amd64.exe', '')).status).toBe(400);
    expect((await put('delve/3.0.0/dlv-windows-amd64.exe', 'x'.repeat(1001))).status).toBe(413);
    expect((await fetch(`${server.url}/dl/delve/3.0.0/dlv-windows-amd64.exe`)).status).toBe(404);
  });

  it('accept prereleases from a push:beta key and the rest from a push key, for the tools they name', async () => {
    const beta = await makeKey(server, ['push:beta'], ['delve']);
    const stable = await makeKey(server, ['push'], ['delve']);
    const store = async (path: string, key: string) => (await put(path, 'MZ', key)).status;

    expect(await store('delve/2.0.0-beta.1/dlv-windows-amd64.exe', beta)).toBe(201);
    expect(await store('delve/2.0.0/dlv-windows-amd64.exe', beta)).toBe(403);
    expect(await store('delve/2.0.0/dlv-windows-amd64.exe', stable)).toBe(201);
    expect(await store('buf/2.0.0/buf-windows-amd64.exe', stable)).toBe(403);
    expect(await store('buf/2.0.0/buf-windows-amd64.exe', await makeKey(server, ['read', 'unlist']))).toBe(
      403,
    );
    expect(
      (await fetch(`${server.url}/dl/buf/2.0.0/buf-windows-amd64.exe`, { method: 'PUT', body: 'MZ' })).status,
    ).toBe(401);
  });

  it('report a missing file, and an unsupported request', async () => {
    const missing = await fetch(`${server.url}/dl/delve/9.9.9/dlv-windows-amd64.exe`);
    const deleted = await fetch(`${server.url}/dl/delve/1.22.0/dlv-windows-amd64.exe`, { method: 'DELETE' });

    expect([missing.status, await missing.text()]).toEqual([
      404,
      'There is no payload delve/9.9.9/dlv-windows-amd64.exe on this server. Check the address against the manifest.\n',
    ]);
    expect([deleted.status, deleted.headers.get('allow')]).toEqual([405, 'GET, HEAD, PUT']);
  });
});
