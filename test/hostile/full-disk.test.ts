import { randomBytes } from 'node:crypto';
import { readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeNupkg } from '../kit/nupkg.ts';
import { hasProgram, isRoot, mustRun, run } from '../kit/programs.ts';
import { makeTempDir, pushNupkg, startTestServer, type TestServer } from '../kit/test-server.ts';

const mayMount = process.platform === 'linux' && isRoot() && hasProgram('mount');

describe.skipIf(!mayMount)('a server whose disk is full (needs root and mount)', () => {
  let dir: string;
  let isMounted = false;
  beforeEach(async () => {
    dir = await makeTempDir();
    // A container may be root without the right to mount.
    isMounted = (await run('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', dir])).code === 0;
  });
  afterEach(async () => {
    if (isMounted) await mustRun('umount', [dir]);
    await rm(dir, { recursive: true, force: true });
  });

  const dataDir = () => join(dir, 'data');
  const ballast = () => join(dir, 'ballast');
  /** Takes what is left of the disk, but for so many bytes. */
  async function leave(bytes: number): Promise<void> {
    await rm(ballast(), { force: true });
    const { bavail, bsize } = await statfs(dir);
    await writeFile(ballast(), Buffer.alloc(Math.max(0, bavail * bsize - bytes)));
  }
  const noisy = (version: string, bytes: number) =>
    makeNupkg({ version, files: { 'tools/noise.bin': randomBytes(bytes) } });
  const push = (server: TestServer, version: string, bytes: number) =>
    pushNupkg(server, noisy(version, bytes), server.adminKey);

  async function expectReading(server: TestServer): Promise<void> {
    const feed = await fetch(`${server.url}/nuget/FindPackagesById()?id='sample'`);
    expect(await feed.text()).toContain('<d:Version>1.0.0</d:Version>');
    const download = await fetch(`${server.url}/nuget/package/sample/1.0.0`);
    expect([download.status, (await download.arrayBuffer()).byteLength > 100_000]).toEqual([200, true]);
    // A load balancer that sent readers away would make it worse.
    for (const path of ['/healthz', '/readyz'])
      expect([path, (await fetch(`${server.url}${path}`)).status]).toEqual([path, 200]);
  }

  it('tells the pusher, goes on reading, and accepts pushes again once there is space', async (context) => {
    if (!isMounted) context.skip();
    const server = await startTestServer({ dataDir: dataDir() });
    expect((await push(server, '1.0.0', 100_000)).status).toBe(201);
    await leave(1_000_000);

    for (const version of ['2.0.0', '2.0.1', '2.0.2']) {
      const refused = await push(server, version, 3_000_000);
      expect([refused.status, refused.statusText]).toEqual([
        507,
        'The server has no space left on its disk; nothing was stored. Free some space and send it again.',
      ]);
    }
    const payload = await fetch(`${server.url}/dl/x/1.0.0/x-windows-amd64.exe`, {
      method: 'PUT',
      headers: { 'X-NuGet-ApiKey': server.adminKey },
      body: randomBytes(3_000_000),
    });
    expect(payload.status).toBe(507);
    await expectReading(server);
    expect(await readdir(join(dataDir(), 'blobs', 'tmp'))).toEqual([]);

    await rm(ballast());
    expect((await push(server, '2.0.0', 3_000_000)).status).toBe(201);
    await server.stop();
  });

  it('reports the same when the database has no space, in its file or in its log', async (context) => {
    if (!isMounted) context.skip();
    const server = await startTestServer({ dataDir: dataDir() });
    const ask = (path: string, init: RequestInit = {}) =>
      fetch(`${server.url}${path}`, {
        ...init,
        headers: { 'X-NuGet-ApiKey': server.adminKey, ...init.headers },
      });
    expect((await push(server, '1.0.0', 100_000)).status).toBe(201);
    expect((await push(server, '1.1.0', 1000)).status).toBe(201);
    await leave(0);

    // What changes rows alone, again and again: the log grows until there is no room for it.
    const statuses = new Set<number>();
    for (let n = 0; n < 400; n += 1) {
      const [method, path] =
        n % 2 === 0 ? ['DELETE', '/nuget/sample/1.1.0'] : ['POST', '/nuget/package/sample/1.1.0'];
      const answer = await ask(path, { method });
      statuses.add(answer.status);
      if (answer.status === 507)
        expect(answer.statusText).toMatch(/^The server has no space left on its disk/);
    }
    const key = await ask('/api/v1/keys', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: 'n'.repeat(50), scopes: ['read'] }),
    });
    statuses.add(key.status);

    expect(statuses).toContain(507);
    expect([...statuses].filter((status) => ![200, 201, 507].includes(status))).toEqual([]);
    await expectReading(server);

    await rm(ballast());
    expect((await ask('/nuget/sample/1.1.0', { method: 'DELETE' })).status).toBe(200);
    expect((await push(server, '1.2.0', 1000)).status).toBe(201);
    await server.stop();
    const again = await startTestServer({ dataDir: dataDir() });
    await expectReading(again);
    await again.stop();
  });

  it('stops cleanly, though it cannot write its counters', async (context) => {
    if (!isMounted) context.skip();
    const server = await startTestServer({ dataDir: dataDir() });
    expect((await push(server, '1.0.0', 100_000)).status).toBe(201);
    await leave(0);
    for (let n = 0; n < 50; n += 1) await expectReading(server);

    await server.stop();

    await expect(startTestServer({ dataDir: dataDir() })).rejects.toMatchObject({ code: 'DATA_DIR_FULL' });
    await rm(ballast());
    const again = await startTestServer({ dataDir: dataDir() });
    await expectReading(again);
    await again.stop();
  });
});
