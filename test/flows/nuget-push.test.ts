import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasNuget, makeNuget, type Nuget } from '../kit/nuget.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { adminKey, makeTempDir, pushNupkg, startTestServer, type TestServer } from '../kit/test-server.ts';

describe.skipIf(!hasNuget)('nuget.exe push and delete (needs mono)', () => {
  let server: TestServer;
  let nuget: Nuget;
  let dir: string;
  beforeAll(async () => {
    dir = await makeTempDir();
    server = await startTestServer();
    nuget = await makeNuget(dir);
  });
  afterAll(() => server.stop());

  it('publishes, reports a duplicate and a wrong key, and unlists', async () => {
    const file = join(dir, 'pushed.1.0.0.nupkg');
    await writeFile(file, makeNupkg({ id: 'pushed' }));
    const source = ['-Source', `${server.url}/nuget`];

    const pushed = await nuget('push', file, ...source, '-ApiKey', adminKey);
    expect([pushed.code, pushed.stdout]).toEqual([0, expect.stringContaining('Your package was pushed.')]);

    const again = await nuget('push', file, ...source, '-ApiKey', adminKey);
    expect([again.code, again.stderr]).toEqual([
      1,
      expect.stringContaining('already exists and cannot be modified'),
    ]);
    expect((await nuget('push', file, ...source, '-ApiKey', adminKey, '-SkipDuplicate')).code).toBe(0);

    const wrong = await nuget('push', file, ...source, '-ApiKey', 'nobody');
    expect([wrong.code, wrong.stderr]).toEqual([
      1,
      expect.stringContaining('The specified API key is invalid'),
    ]);

    const deleted = await nuget('delete', 'pushed', '1.0.0', ...source, '-ApiKey', adminKey);
    expect([deleted.code, deleted.stdout]).toEqual([0, expect.stringContaining('pushed 1.0.0')]);
    expect((await server.services.catalog.find('pushed', '1.0.0'))?.isListed).toBe(false);
  });

  it('lists every version of an id, installs, and prints what choco 1.x will not see', async () => {
    for (let patch = 0; patch < 61; patch++) {
      const nupkg = makeNupkg({ id: 'plenty', version: `1.0.${patch}` });
      expect((await pushNupkg(server, nupkg, adminKey)).status).toBe(201);
    }
    const source = ['-Source', `${server.url}/nuget`];

    const listed = await nuget('list', 'plenty', '-AllVersions', ...source);
    const lines = listed.stdout.trim().split(/\r?\n/);
    expect([listed.code, new Set(lines).size, lines.length]).toEqual([0, 61, 61]);
    const bare = await nuget('list', 'plenty', '-Source', server.url);
    expect([bare.code, bare.stdout.trim()]).toEqual([0, 'plenty 1.0.60']);

    const out = join(dir, 'installed');
    const installed = await nuget('install', 'Plenty', ...source, '-OutputDirectory', out, '-NoCache');
    expect([installed.code, installed.stderr]).toEqual([0, '']);
    expect(existsSync(join(out, 'plenty.1.0.60', 'plenty.1.0.60.nupkg'))).toBe(true);

    const file = join(dir, 'plenty.2.0.0-beta.1.nupkg');
    await writeFile(file, makeNupkg({ id: 'plenty', version: '2.0.0-beta.1' }));
    const pushed = await nuget('push', file, ...source, '-ApiKey', adminKey);
    expect([pushed.code, pushed.stdout]).toEqual([0, expect.stringContaining('hidden from choco 1.x')]);
  });
});
