import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { printScoopManifest, type ScoopManifest } from '../../../formats/scoop-manifest.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { makeKey, makeTempDir, pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';
import { heldUploads } from './held-uploads.ts';

describe('versions that are held for a rollout', () => {
  let dataDir: string;
  let server: TestServer;
  let releaser: string;
  let uploads: ReturnType<typeof heldUploads>;
  beforeEach(async () => {
    dataDir = await makeTempDir();
    server = await startTestServer({ dataDir });
    releaser = await makeKey(server, ['push', 'rollout'], [], 'ann');
    uploads = heldUploads(server, releaser);
  });
  afterEach(async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  });

  const plain = async (path: string) => (await fetch(`${server.url}${path}`)).status;
  const blobs = async () => (await readdir(join(server.dataDir, 'blobs'), { recursive: true })).sort();
  const rows = async () => (await uploads.call('GET', '/held/delve'))[1];

  it('are uploaded in parts, seen by nobody, and discarded with all that came with them', async () => {
    expect(await uploads.payload('1.22.0')).toBe(201);
    expect(await uploads.push('1.22.0')).toBe(201);
    expect(await rows()).toMatchObject([{ version: '1.22.0', packageId: 'delve', hasManifest: false }]);
    expect(await uploads.manifest('1.22.0')).toBe(201);
    expect(await uploads.manifest('1.22.0')).toBe(200);
    const message = 'delve: Update to version 1.22.0\n\nanother';
    expect(await uploads.manifest('1.22.0', { message })).toBe(409);

    expect(await rows()).toMatchObject([{ version: '1.22.0', hasManifest: true }]);
    for (const path of ['/nuget/package/delve/1.22.0', '/v3/flat/delve/index.json', '/m/delve.json']) {
      expect([path, await plain(path)]).toEqual([path, 404]);
    }
    const found = await (await fetch(`${server.url}/nuget/FindPackagesById()?id='delve'`)).text();
    expect(found).not.toContain('1.22.0');
    expect((await uploads.call('DELETE', '/held/delve/1.22.0'))[0]).toBe(204);
    expect((await uploads.call('DELETE', '/held/delve/1.22.0'))[0]).toBe(404);
    expect(await rows()).toEqual([]);
    expect(await uploads.payload('1.22.0', 'other bytes')).toBe(201);
    expect((await pushNupkg(server, makeNupkg({ id: 'delve', version: '1.22.0' }), releaser)).status).toBe(
      201,
    );
  });

  it('take the same manifest with other addresses, also while they roll out, and no other', async () => {
    await uploads.whole('1.22.0');
    const plan = { steps: [{ percent: 100, hold: '1h', needs: 0 }] };
    await uploads.call('POST', '/rollouts', undefined, { tool: 'delve', version: '1.22.0', plan });
    const seen = async () => (await fetch(`${server.url}/m/c/pc-1/delve.json`)).text();
    const text = uploads.textOf('1.22.0');
    expect(await seen()).toBe(text);
    const moved = text.replace(server.url, 'https://files.example');

    expect(await uploads.manifest('1.22.0', { manifest: moved })).toBe(200);
    expect(await seen()).toBe(moved);
    expect(await uploads.call('GET', '/held/delve/1.22.0')).toEqual([
      200,
      { packageId: 'delve', manifest: moved, message: 'delve: Update to version 1.22.0' },
    ]);
    expect((await uploads.call('GET', '/held/delve/1.23.0'))[0]).toBe(404);
    const renamed = moved.replaceAll('delve.exe', 'other.exe');
    const hash = moved.replace(/"hash": "../, '"hash": "00');
    for (const manifest of [renamed, hash]) {
      expect(manifest).not.toBe(moved);
      expect(await uploads.manifest('1.22.0', { manifest })).toBe(409);
    }
    expect(await seen()).toBe(moved);
  });

  it('cannot be pushed once more, in any way, and nothing is left of the attempt', async () => {
    await uploads.push('1.22.0');
    const before = await blobs();
    const again = makeNupkg({ id: 'Delve', version: '1.22', files: { 'tools/other.txt': 'other' } });

    const refused = await pushNupkg(server, again, releaser);

    expect([refused.status, refused.statusText]).toEqual([409, expect.stringContaining('release:rollout')]);
    expect(await uploads.push('1.22.0')).toBe(409);
    expect(await blobs()).toEqual(before);
    await pushNupkg(server, makeNupkg({ id: 'delve', version: '1.21.0' }), releaser);
    expect(await uploads.push('1.21.0')).toBe(409);
  });

  it.each<[string, Record<string, unknown>, number]>([
    ['a manifest of another version', { manifest: '1.23.0' }, 400],
    ['an empty manifest', { manifest: '{}' }, 400],
    ['a message that does not begin like that of a release', { message: 'delve 1.22.0' }, 400],
    ['a message of another version', { message: 'delve: Update to version 1.23.0' }, 400],
    ['a package that is not held', { packageId: 'buf' }, 404],
    ['a field that it does not know', { odd: 1 }, 400],
  ])('refuse %s', async (_what, changes, status) => {
    await uploads.payload('1.22.0');
    await uploads.push('1.22.0');
    const isOther = changes.manifest === '1.23.0';

    const answer = uploads.manifest('1.22.0', {
      ...changes,
      ...(isOther ? { manifest: uploads.textOf('1.23.0') } : {}),
    });
    expect(await answer).toBe(status);
  });

  it('refuse payloads that are not there, and keys without push', async () => {
    await uploads.push('1.22.0');

    expect(await uploads.manifest('1.22.0')).toBe(400);
    const reader = heldUploads(server, await makeKey(server, ['read', 'rollout']));
    expect([await reader.push('1.23.0'), await reader.manifest('1.22.0')]).toEqual([403, 403]);
    const other = heldUploads(server, await makeKey(server, ['push'], ['buf']));
    expect([await other.push('1.23.0'), await other.manifest('1.22.0')]).toEqual([403, 403]);
    expect((await uploads.call('GET', '/held/delve', 'none'))[0]).toBe(403);
  });

  it('start a rollout once they are whole, and stay while it needs them', async () => {
    await pushNupkg(server, makeNupkg({ id: 'delve', version: '1.21.0' }), releaser);
    const start = () =>
      uploads.call('POST', '/rollouts', undefined, {
        tool: 'delve',
        version: '1.22.0',
        plan: { steps: [{ percent: 100, hold: '1h', needs: 0 }] },
      });
    await uploads.whole('1.22.0');
    expect(await start()).toMatchObject([409, { title: expect.stringContaining('a correction') }]);
    await uploads.whole('1.22.0.1');

    expect(await start()).toMatchObject([201, { state: 'rolling', correction: '1.22.0.1' }]);
    for (const version of ['1.22.0', '1.22.0.1']) {
      expect((await uploads.call('DELETE', `/held/delve/${version}`))[0]).toBe(409);
    }
    expect(await uploads.call('POST', '/rollouts/1/complete')).toMatchObject([200, { state: 'completed' }]);
    expect(await plain('/nuget/package/delve/1.22.0')).toBe(200);
    expect(await rows()).toEqual([]);
    expect(await uploads.payload('1.22.0.1', 'other bytes')).toBe(201);
  });

  it('end their rollout when a higher version is pushed for everybody', async () => {
    await uploads.whole('1.22.0');
    const plan = { steps: [{ percent: 100, hold: '1h', needs: 0 }] };
    await uploads.call('POST', '/rollouts', undefined, { tool: 'delve', version: '1.22.0', plan });

    await pushNupkg(server, makeNupkg({ id: 'delve', version: '1.23.0' }), releaser);

    expect(await uploads.call('GET', '/rollouts/1')).toMatchObject([200, { state: 'superseded' }]);
  });

  it('stay while the bucket shows them to clients of a rollout, though the feed has something higher', async () => {
    const plan = { steps: [{ percent: 100, hold: '1h', needs: 0 }] };
    const start = (version: string) =>
      uploads.call('POST', '/rollouts', undefined, { tool: 'delve', version, plan });
    const inBucket = async () => {
      const answer = await fetch(`${server.url}/m/c/pc-1/delve.json`);
      return answer.status === 200 ? ((await answer.json()) as { version: string }).version : answer.status;
    };
    await uploads.whole('1.22.0');
    await start('1.22.0');
    expect(await inBucket()).toBe('1.22.0');
    await pushNupkg(server, makeNupkg({ id: 'delve', version: '1.22.5' }), releaser);

    expect((await uploads.call('DELETE', '/held/delve/1.22.0'))[0]).toBe(409);
    expect(await inBucket()).toBe('1.22.0');

    for (const version of ['1.23.0', '1.23.0.1']) await uploads.whole(version);
    expect((await start('1.23.0'))[0]).toBe(201);
    expect((await uploads.call('POST', '/rollouts/2/complete'))[0]).toBe(200);
    expect(await inBucket()).toBe('1.23.0');
    expect((await uploads.call('DELETE', '/held/delve/1.22.0'))[0]).toBe(204);
    expect(await inBucket()).toBe('1.23.0');
  });

  it('are prepared anew by name, in place of the correction before', async () => {
    await pushNupkg(server, makeNupkg({ id: 'delve', version: '1.21.0' }), releaser);
    await uploads.whole('1.22.0');
    await uploads.whole('1.22.0.1');
    const plan = { steps: [{ percent: 100, hold: '1h', needs: 0 }] };
    await uploads.call('POST', '/rollouts', undefined, { tool: 'delve', version: '1.22.0', plan });

    await uploads.whole('1.22.0.2', { corrects: '1.22.0' });

    expect(await uploads.call('GET', '/rollouts/1')).toMatchObject([
      200,
      {
        correction: '1.22.0.2',
        history: [
          { action: 'start' },
          { action: 'correct', reason: '1.22.0.1 is prepared' },
          { action: 'correct', reason: '1.22.0.2 is prepared', by: 'push rollout' },
        ],
      },
    ]);
    const auditor = await makeKey(server, ['admin']);
    expect((await uploads.call('GET', '/audit?id=delve', auditor))[1]).toEqual(
      expect.objectContaining({
        entries: expect.arrayContaining([
          expect.objectContaining({
            kind: 'rollout changed',
            version: '1.22.0',
            detail: expect.stringContaining('1.22.0.2 is prepared'),
          }),
        ]),
      }),
    );
    expect(await rows()).toMatchObject([{ version: '1.22.0' }, { version: '1.22.0.2' }]);
    await uploads.whole('1.23.5');
    expect(await uploads.manifest('1.23.5', { corrects: '1.22.0' })).toBe(409);
  });

  it('have one package for each tool, and never take back what was published', async () => {
    await uploads.payload('1.22.0');
    await pushNupkg(server, makeNupkg({ id: 'delve', version: '1.22.0' }), releaser);

    expect(await uploads.push('1.22.0', 'zz')).toBe(409);
    expect((await uploads.call('DELETE', '/held/delve/1.22.0'))[0]).toBe(404);
    expect(await plain('/dl/delve/1.22.0/delve-windows-amd64.exe')).toBe(200);
    expect(await uploads.push('1.23.0')).toBe(201);
    expect(await uploads.push('1.24.0', 'zz')).toBe(409);
    expect((await uploads.call('DELETE', '/held/delve/1.23.0'))[0]).toBe(204);
    expect(await uploads.push('1.24.0', 'zz')).toBe(201);
  });

  it('leave the payloads that were published in the meantime', async () => {
    await uploads.payload('1.22.0');
    expect(await uploads.push('1.22.0', 'zz')).toBe(201);
    await pushNupkg(server, makeNupkg({ id: 'delve', version: '1.22.0' }), releaser);

    expect((await uploads.call('DELETE', '/held/delve/1.22.0'))[0]).toBe(204);
    expect(await plain('/dl/delve/1.22.0/delve-windows-amd64.exe')).toBe(200);
    expect(await uploads.payload('1.22.0', 'other bytes')).toBe(409);
  });

  it('are freed where an upload came no further than its payloads, unless they are public', async () => {
    await uploads.payload('1.22.0');
    expect(await uploads.payload('1.22.0', 'other bytes')).toBe(409);
    expect((await uploads.call('DELETE', '/held/delve/1.22.0'))[0]).toBe(204);
    expect((await uploads.call('DELETE', '/held/delve/1.22.0'))[0]).toBe(404);
    expect(await uploads.payload('1.22.0', 'other bytes')).toBe(201);

    await pushNupkg(server, makeNupkg({ id: 'delve', version: '1.22.0' }), releaser);
    expect((await uploads.call('DELETE', '/held/delve/1.22.0'))[0]).toBe(404);
    expect(await uploads.payload('1.22.0')).toBe(409);
    const reader = await makeKey(server, ['read', 'push:beta']);
    await uploads.payload('1.23.0');
    expect((await uploads.call('DELETE', '/held/delve/1.23.0', reader))[0]).toBe(403);
  });

  it('are refused when the bucket already offers them', async () => {
    await uploads.whole('1.22.0');
    const plan = { steps: [{ percent: 100, hold: '1h', needs: 0 }] };
    await uploads.call('POST', '/rollouts', undefined, { tool: 'delve', version: '1.22.0', plan });
    await uploads.call('POST', '/rollouts/1/complete');
    expect(await plain('/m/delve/1.22.0/delve.json')).toBe(200);
    const other = heldUploads(server, releaser, 'zz');

    expect(await uploads.push('1.22.0', 'zz')).toBe(409);
    expect(await other.push('1.22.0')).toBe(201);
  });

  it.each(['foo.lock', 'a..b', 'c', 'beta', 'nul', '_a', 'a-'])('are of no tool named %s', async (name) => {
    const odd = heldUploads(server, releaser, name);
    const plan = { steps: [{ percent: 100, hold: '1h', needs: 0 }] };

    expect(await uploads.push('1.22.0')).toBe(201);
    const headers = { 'X-NuGet-ApiKey': releaser, 'X-Held': name };
    const body = new Uint8Array(makeNupkg({ id: 'odd', version: '1.22.0' }));
    const pushed = await fetch(`${server.url}/nuget/`, { method: 'PUT', headers, body });
    expect(pushed.status).toBe(400);
    expect(await odd.manifest('1.22.0')).toBe(400);
    expect((await odd.call('GET', `/held/${name}`))[0]).toBe(400);
    expect((await odd.call('DELETE', `/held/${name}/1.22.0`))[0]).toBe(400);
    const order = { tool: name, version: '1.22.0', plan };
    expect((await odd.call('POST', '/rollouts', undefined, order))[0]).toBe(400);
  });

  it('need a key that may publish the tool and the package, where ids are reserved', async () => {
    await server.stop();
    server = await startTestServer({ reservedIds: ['delve'] });
    releaser = await makeKey(server, ['push', 'rollout']);
    uploads = heldUploads(server, releaser);
    const owner = heldUploads(server, await makeKey(server, ['push', 'rollout'], ['delve']));
    await owner.whole('1.22.0');
    const plan = { steps: [{ percent: 100, hold: '1h', needs: 0 }] };

    expect(await uploads.push('1.23.0', 'zz')).toBe(403);
    expect(await uploads.manifest('1.22.0')).toBe(403);
    const order = { tool: 'delve', version: '1.22.0', plan };
    expect((await uploads.call('POST', '/rollouts', undefined, order))[0]).toBe(403);
    expect((await uploads.call('DELETE', '/held/delve/1.22.0'))[0]).toBe(403);
    expect((await owner.call('DELETE', '/held/delve/1.22.0'))[0]).toBe(204);
  });

  it('are corrections of their own tool only, and only with a manifest', async () => {
    await pushNupkg(server, makeNupkg({ id: 'delve', version: '1.21.0' }), releaser);
    await uploads.whole('1.22.0');
    await uploads.whole('1.22.0.1');
    const plan = { steps: [{ percent: 100, hold: '1h', needs: 0 }] };
    const order = { tool: 'delve', version: '1.22.0', plan };
    await uploads.call('POST', '/rollouts', undefined, order);

    // A package without a manifest, and one of the same package under the name of another tool.
    await uploads.push('1.22.0.2');
    const other = heldUploads(server, releaser, 'zz');
    expect(await other.push('1.22.0.3', 'delve')).toBe(201);

    const again = await uploads.call('POST', '/rollouts', undefined, order);
    expect(again).toMatchObject([200, { correction: '1.22.0.1' }]);
  });

  /** From now on delve needs the approval of another owner, whose key it is. */
  async function askApproval(): Promise<string> {
    await server.stop();
    server = await startTestServer({ dataDir, approvals: [{ glob: 'delve', owners: 1 }] });
    uploads = heldUploads(server, releaser);
    return makeKey(server, ['approve'], [], 'bob');
  }

  it('put nothing in the place of what others have approved', async () => {
    const plan = { steps: [{ percent: 100, hold: '1d' }] };
    await uploads.whole('1.21.0');
    await uploads.call('POST', '/rollouts', releaser, { tool: 'delve', version: '1.21.0', plan });
    await uploads.call('POST', '/rollouts/1/complete', releaser);
    const other = await askApproval();
    await uploads.whole('1.22.0');
    const order = { tool: 'delve', version: '1.22.0', plan: { steps: [{ percent: 50, hold: '1d' }] } };
    await uploads.whole('1.22.0.9');
    expect(await uploads.call('POST', '/rollouts', releaser, order)).toMatchObject([
      409,
      { title: expect.stringContaining('a correction of it') },
    ]);
    expect(await uploads.correction('1.22.0.1', '1.22.0', '1.22.0')).toBe(400);
    expect((await uploads.call('DELETE', '/held/delve/1.22.0.1'))[0]).toBe(204);
    // what main's version does not run, or depend on, its correction does not either
    const script = { 'tools/chocolateyInstall.ps1': 'throw' };
    expect(await uploads.correction('1.22.0.1', '1.22.0', '1.21.0', script)).toBe(400);
    expect((await uploads.call('DELETE', '/held/delve/1.22.0.1'))[0]).toBe(204);
    expect(await uploads.correction('1.22.0.1', '1.22.0', '1.21.0')).toBe(201);
    expect((await uploads.call('DELETE', '/held/delve/1.22.0.1'))[0]).toBe(204);
    const fields = JSON.parse(uploads.textOf('1.22.0.1', 'MZ delve 1.21.0')) as ScoopManifest;
    await uploads.payload('1.22.0.1', 'MZ delve 1.21.0');
    await uploads.push('1.22.0.1', 'delve', { 'tools/readme.txt': 'delve 1.21.0\n' });
    const manifest = printScoopManifest({ ...fields, post_install: 'throw' });
    expect(await uploads.manifest('1.22.0.1', { corrects: '1.22.0', manifest })).toBe(400);
    expect(
      await uploads.manifest('1.22.0.1', { corrects: '1.22.0', manifest: printScoopManifest(fields) }),
    ).toBe(201);
    await uploads.call('POST', '/rollouts', releaser, order);
    expect((await uploads.call('POST', '/rollouts/2/approve', other))[1]).toMatchObject({
      ...{ state: 'rolling', correction: '1.22.0.1' },
    });

    expect(await uploads.correction('1.22.0.2', '1.22.0', '1.21.0')).toBe(409);
    const again = await uploads.call('POST', '/rollouts', releaser, order);

    expect(again).toMatchObject([200, { correction: '1.22.0.1' }]);
    await uploads.call('POST', '/rollouts/2/rollback', releaser);
    expect(await uploads.correction('1.22.0.2', '1.22.0', '1.21.0')).toBe(409);
    expect((await uploads.call('GET', '/rollouts/2', releaser))[1]).toMatchObject({
      ...{ state: 'rolled-back', correction: '1.22.0.1' },
    });
    expect((await uploads.call('DELETE', '/held/delve/1.22.0.1'))[0]).toBe(409);
  });

  it('are taken as a correction while main offers the same, and not when it has changed since', async () => {
    const plan = { steps: [{ percent: 100, hold: '1d', needs: 0 }] };
    const start = (version: string) =>
      uploads.call('POST', '/rollouts', releaser, { tool: 'delve', version, plan });
    await uploads.whole('1.20.0');
    await start('1.20.0');
    await uploads.call('POST', '/rollouts/1/complete', releaser);
    const other = await askApproval();
    await uploads.whole('1.22.0');
    await uploads.correction('1.22.0.1', '1.22.0', '1.20.0');
    await uploads.whole('1.21.0');
    await uploads.correction('1.21.0.1', '1.21.0', '1.20.0');
    await start('1.21.0');
    await uploads.call('POST', '/rollouts/2/approve', other);
    // completed after the comparison, and before the start
    const { rollouts } = server.services;
    const begin = rollouts.start;
    rollouts.start = async (...args) => {
      rollouts.start = begin;
      expect((await uploads.call('POST', '/rollouts/2/complete', releaser))[0]).toBe(200);
      return begin(...args);
    };

    const title = expect.stringContaining('1.22.0.1 has others');
    expect(await start('1.22.0')).toMatchObject([409, { title }]);
    expect(await start('1.22.0')).toMatchObject([409, { title }]);
    await uploads.call('DELETE', '/held/delve/1.22.0.1');
    await uploads.correction('1.22.0.1', '1.22.0', '1.21.0');
    expect(await start('1.22.0')).toMatchObject([201, { correction: '1.22.0.1' }]);
  });

  it('leave their payloads, which can be downloaded, where the key has no scope for rollouts', async () => {
    await uploads.payload('1.22.0');
    const pusher = heldUploads(server, await makeKey(server, ['push']));
    expect((await pusher.call('DELETE', '/held/delve/1.22.0'))[0]).toBe(404);
    expect(await pusher.push('1.22.0')).toBe(201);
    expect((await pusher.call('DELETE', '/held/delve/1.22.0'))[0]).toBe(204);
    expect(await pusher.payload('1.22.0', 'other bytes')).toBe(409);
  });
});
