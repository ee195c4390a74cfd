import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCommand as createPurge } from '../../../server/verbs/purge.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { runVerb } from '../../kit/operator-fixture.ts';
import { adminKey, makeKey, pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';
import { heldUploads } from '../api/held-uploads.ts';

describe('purging a version that is held for a rollout', () => {
  let server: TestServer;
  let uploads: ReturnType<typeof heldUploads>;
  beforeEach(async () => {
    server = await startTestServer();
    const key = await makeKey(server, ['push', 'rollout'], [], 'ann');
    uploads = heldUploads(server, key);
    await pushNupkg(server, makeNupkg({ id: 'delve', version: '1.21.0' }), key);
    for (const version of ['1.22.0', '1.22.0.1']) await uploads.whole(version);
  });
  afterEach(() => server.stop());

  const plan = { steps: [{ percent: 100, hold: '1h', needs: 0 }] };
  const start = () =>
    uploads.call('POST', '/rollouts', undefined, { tool: 'delve', version: '1.22.0', plan });
  const purge = (version: string) =>
    uploads.call('POST', '/purges', adminKey, { id: 'delve', version, reason: 'a law', force: true });
  const statusOf = async (path: string) => (await fetch(`${server.url}${path}`)).status;
  const exe = (version: string) => `/dl/delve/${version}/delve-windows-amd64.exe`;

  it('is refused while the rollout is open, with the way to take it back', async () => {
    await start();

    for (const version of ['1.22', '1.22.0.1']) {
      expect(await purge(version)).toMatchObject([
        409,
        { title: expect.stringContaining('release:rollout rollback') },
      ]);
    }
    const running = await runVerb(
      createPurge,
      server.dataDir,
      'Delve@1.22.0',
      '--force',
      '--reason',
      'a law',
    );
    expect(running.code).toBe(2);
    expect(running.error?.message).toContain('release:rollout rollback');
    expect(await statusOf('/nuget/c/pc-1/package/delve/1.22.0')).toBe(200);
    expect(await statusOf(exe('1.22.0'))).toBe(200);
  });

  it('takes it from its clients, too, once it was rolled back', async () => {
    await start();
    expect(await statusOf('/nuget/c/pc-1/package/delve/1.22.0')).toBe(200);
    await uploads.call('POST', '/rollouts/1/rollback');
    expect(await statusOf('/nuget/c/pc-1/package/delve/1.22.0')).toBe(200);

    expect(await purge('1.22.0')).toMatchObject([
      200,
      { files: ['delve 1.22.0', 'dl/delve/1.22.0/delve-windows-amd64.exe'] },
    ]);

    for (const path of [
      '/nuget/c/pc-1/package/delve/1.22.0',
      '/v3/c/pc-1/flat/delve/1.22.0/delve.1.22.0.nupkg',
      exe('1.22.0'),
    ]) {
      expect([path, await statusOf(path)]).toEqual([path, 410]);
    }
    const list = await fetch(`${server.url}/nuget/c/pc-1/FindPackagesById()?id='delve'`);
    expect(await list.text()).not.toContain("'1.22.0'");
    expect(await statusOf('/nuget/c/pc-1/package/delve/1.22.0.1')).toBe(200);
    expect((await uploads.call('GET', '/held/delve'))[1]).toMatchObject([{ version: '1.22.0.1' }]);
    expect(await uploads.push('1.22.0')).toBe(410);
  });

  it('removes the correction with its manifest, and a version that no rollout ever had', async () => {
    await start();
    expect(await statusOf('/m/c/pc-1/delve.json')).toBe(200);
    await uploads.call('POST', '/rollouts/1/rollback');
    await uploads.whole('1.23.0');

    expect((await purge('1.22.0.1'))[0]).toBe(200);
    expect((await purge('1.23.0'))[0]).toBe(200);

    expect(await statusOf('/nuget/c/pc-1/package/delve/1.22.0.1')).toBe(410);
    expect((await uploads.call('GET', '/held/delve'))[1]).toMatchObject([{ version: '1.22.0' }]);
    expect(await statusOf('/m/c/pc-1/delve.json')).toBe(404);
  });
});
