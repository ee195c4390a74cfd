import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approvalsNeeded } from '../../../server/feed/approvals.ts';
import { createCommand as createImport } from '../../../server/verbs/import.ts';
import { createRelist, createUnlist } from '../../../server/verbs/listing.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { runVerb, runVerbWith } from '../../kit/operator-fixture.ts';
import { makeKey, makeTempDir, pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';

describe('approvals', () => {
  it.each([
    ['delve', 1],
    ['DELVE', 1],
    ['delve2', 0],
    ['acme.tool', 3],
    ['acme', 0],
    // U+212A, which is a k in lower case
    ['\u212aube', 1],
  ])('of %s are %d: the strictest glob counts', (id, needed) => {
    const approvals = [
      { glob: 'delve', owners: 1 },
      { glob: 'acme.*', owners: 2 },
      { glob: '*.TOOL', owners: 3 },
      { glob: 'kube', owners: 1 },
    ];

    expect(approvalsNeeded(approvals, id)).toBe(needed);
  });

  describe('of a server with APPROVALS', () => {
    const approvals = [{ glob: 'delve', owners: 2 }];
    let dataDir: string;
    let server: TestServer;
    let key: string;
    beforeAll(async () => {
      dataDir = await makeTempDir();
      // It was there before the setting was.
      const before = await startTestServer({ dataDir });
      await pushNupkg(before, makeNupkg({ id: 'delve', version: '1.0.0' }), before.adminKey);
      await before.stop();
      server = await startTestServer({ dataDir, approvals });
      key = await makeKey(server, ['push', 'unlist']);
    });
    afterAll(() => server.stop());

    const versions = async (): Promise<string[]> => {
      const feed = await (await fetch(`${server.url}/nuget/FindPackagesById()?id='delve'`)).text();
      return [...feed.matchAll(/<d:Version>([^<]+)</g)].map(([, version = '']) => version);
    };

    it('keep stable versions out, whoever pushes them, by whichever address', async () => {
      const nupkg = makeNupkg({ id: 'Delve', version: '2.0.0' });
      for (const pusher of [key, server.adminKey]) {
        for (const path of ['/nuget/', '/api/v2/package/', '/v3/publish/']) {
          const { status, statusText } = await pushNupkg(server, nupkg, pusher, path);
          expect([status, statusText]).toEqual([
            403,
            'The stable version Delve 2.0.0 cannot be published directly: by APPROVALS, other owners (2) must approve it, in a rollout (release:rollout). Prereleases need no approval (rule approvals).',
          ]);
        }
      }
      expect(await versions()).toEqual(['1.0.0']);
    });

    it('let prereleases and other ids in', async () => {
      const beta = await pushNupkg(server, makeNupkg({ id: 'delve', version: '2.0.0-beta.1' }), key);
      const other = await pushNupkg(server, makeNupkg({ id: 'buf', version: '2.0.0' }), key);

      expect([beta.status, other.status]).toEqual([201, 201]);
    });

    it('let whoever may hide a version, and not show it again', async () => {
      const address = `${server.url}/nuget/package/delve/1.0.0`;
      const headers = { 'X-NuGet-ApiKey': key };

      expect((await fetch(address, { method: 'DELETE', headers })).status).toBe(200);
      for (const version of ['1.0.0', '1.0', '01.0.0.0']) {
        const again = await fetch(`${server.url}/nuget/package/DELVE/${version}`, {
          method: 'POST',
          headers,
        });
        expect(again.status).toBe(403);
      }
    });

    it.each(['through the running server', 'alone'])('hold for imports and verbs, %s', async (way) => {
      const folder = await makeTempDir();
      await writeFile(join(folder, 'a.nupkg'), makeNupkg({ id: 'delve', version: '3.0.0' }));
      await writeFile(join(folder, 'b.nupkg'), makeNupkg({ id: `buf-${way[0]}`, version: '3.0.0' }));
      if (way === 'alone') await server.stop();
      const env = { APPROVALS: 'delve=2' };

      const imported = await runVerbWith(env, createImport, dataDir, folder);
      const relisted = await runVerbWith(env, createRelist, dataDir, 'delve@1.0.0', '--reason', 'why');
      const unlisted = await runVerb(createUnlist, dataDir, 'delve@1.0.0', '--reason', 'why');

      expect(`${imported.stdout}${imported.stderr}`).toContain('APPROVALS');
      expect(relisted.error?.message).toContain('APPROVALS');
      expect(unlisted.error).toBeUndefined();
      if (way === 'alone') server = await startTestServer({ dataDir, approvals });
      expect(await versions()).not.toContain('3.0.0');
      const other = await fetch(`${server.url}/nuget/package/buf-${way[0]}/3.0.0`);
      expect(other.status).toBe(200);
    });
  });
});
