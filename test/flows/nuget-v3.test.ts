import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasNuget, makeNuget, type Nuget } from '../kit/nuget.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import {
  adminKey,
  makeKey,
  makeTempDir,
  pushNupkg,
  startTestServer,
  type TestServer,
} from '../kit/test-server.ts';

describe.skipIf(!hasNuget)('nuget.exe over NuGet v3 (needs mono)', { timeout: 600_000 }, () => {
  let server: TestServer;
  let nuget: Nuget;
  let dir: string;
  let source: readonly string[];
  const packages = new Map<string, Buffer>();

  beforeAll(async () => {
    dir = await makeTempDir();
    server = await startTestServer();
    nuget = await makeNuget(dir);
    source = ['-Source', `${server.url}/v3/index.json`];
    const dependencies =
      '<dependencies><dependency id="Lower" version="[1.0.0,2.0.0)" /><dependency id="any" /></dependencies>';
    for (const [id, version, metadataXml = ''] of [
      ['Lower', '1.0'],
      ['Lower', '1.5.0'],
      ['Lower', '2.0.0'],
      ['any', '0.1.0'],
      ['upper', '1.0.0', dependencies],
      ['upper', '1.1.0-beta.1', dependencies],
      ['withdrawn', '1.0.0'],
      ['withdrawn', '2.0.0'],
    ] as const) {
      const nupkg = makeNupkg({ id, version, metadataXml });
      packages.set(`${id} ${version}`, nupkg);
      expect((await pushNupkg(server, nupkg, adminKey)).status).toBe(201);
    }
    const headers = { 'X-NuGet-ApiKey': adminKey };
    await fetch(`${server.url}/v3/publish/withdrawn/2.0.0`, { method: 'DELETE', headers });
  });
  afterAll(async () => {
    await server.stop();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  });

  async function install(...args: string[]): Promise<string> {
    const out = join(dir, args.join('-').replaceAll(/\W+/g, '-'));
    const { code, stdout, stderr } = await nuget(
      'install',
      ...args,
      ...source,
      '-OutputDirectory',
      out,
      '-NoCache',
    );
    expect([code, stderr], stdout).toEqual([0, '']);
    return out;
  }

  it('searches, and lists over the v2 feed that the index names', async () => {
    const searched = await nuget('search', 'upper', ...source);
    expect([searched.code, searched.stdout]).toEqual([0, expect.stringMatching(/> upper \| 1\.0\.0 /)]);
    const before = await nuget('search', 'upper', '-PreRelease', ...source);
    expect(before.stdout).toMatch(/> upper \| 1\.1\.0-beta\.1 /);

    const listed = await nuget('list', ...source);
    expect([listed.code, listed.stdout.trim().split(/\r?\n/).sort()]).toEqual([
      0,
      ['Lower 2.0.0', 'any 0.1.0', 'upper 1.0.0', 'withdrawn 1.0.0'].sort(),
    ]);
  });

  it('installs the newest stable version with its dependencies, byte for byte, and counts it', async () => {
    const out = await install('UPPER');
    expect((await readdir(out)).sort()).toEqual(['Lower.1.0', 'any.0.1.0', 'upper.1.0.0']);

    for (const [folder, key] of [
      ['upper.1.0.0', 'upper 1.0.0'],
      ['Lower.1.0', 'Lower 1.0'],
      ['any.0.1.0', 'any 0.1.0'],
    ] as const) {
      const bytes = await readFile(join(out, folder, `${folder}.nupkg`));
      expect(bytes.equals(packages.get(key) ?? Buffer.alloc(0)), folder).toBe(true);
    }
    await server.services.catalog.flush();
    expect((await server.services.catalog.find('upper', '1.0.0'))?.versionDownloads).toBe(1);
  });

  it('installs the newest prerelease, a version by name, and one that was unlisted', async () => {
    expect(existsSync(join(await install('upper', '-Prerelease'), 'upper.1.1.0-beta.1'))).toBe(true);
    expect(existsSync(join(await install('lower', '-Version', '1.5.0'), 'Lower.1.5.0'))).toBe(true);
    expect(existsSync(join(await install('withdrawn', '-Version', '2.0.0'), 'withdrawn.2.0.0'))).toBe(true);
    // It takes an unlisted newest version even unasked, on v2 as well (spec nuget-v2 18.2).
    expect(existsSync(join(await install('withdrawn'), 'withdrawn.2.0.0'))).toBe(true);
  });

  it('pushes, reports a duplicate and a wrong key, and unlists', async () => {
    const file = join(dir, 'pushed.1.0.0.nupkg');
    await writeFile(file, makeNupkg({ id: 'pushed' }));

    const pushed = await nuget('push', file, ...source, '-ApiKey', adminKey);
    expect([pushed.code, pushed.stdout]).toEqual([0, expect.stringContaining('Your package was pushed.')]);

    const again = await nuget('push', file, ...source, '-ApiKey', adminKey);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('already exists')]);
    expect((await nuget('push', file, ...source, '-ApiKey', adminKey, '-SkipDuplicate')).code).toBe(0);
    const wrong = await nuget('push', file, ...source, '-ApiKey', 'nobody');
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('API key is invalid')]);

    const deleted = await nuget('delete', 'pushed', '1.0.0', ...source, '-ApiKey', adminKey);
    expect([deleted.code, deleted.stdout]).toEqual([0, expect.stringContaining('pushed 1.0.0')]);
    expect((await server.services.catalog.find('pushed', '1.0.0'))?.isListed).toBe(false);
  });

  it('reads a closed feed with a key as the password, and is refused without', async () => {
    const closed = await startTestServer({ readAuth: 'feed' });
    await pushNupkg(closed, makeNupkg({ id: 'kept' }), adminKey);
    const configFile = join(dir, 'closed.config');
    await writeFile(configFile, '<configuration><packageSources><clear /></packageSources></configuration>');
    const index = `${closed.url}/v3/index.json`;
    const config = ['-ConfigFile', configFile];
    const reader = ['-UserName', 'anybody', '-Password', await makeKey(closed, ['read'], ['kept'])];
    const added = await nuget(
      'sources',
      'add',
      '-Name',
      'closed',
      '-Source',
      index,
      ...reader,
      ...config,
      '-StorePasswordInClearText',
    );
    expect([added.code, added.stderr]).toEqual([0, '']);

    const out = join(dir, 'closed');
    const installed = await nuget(
      'install',
      'kept',
      '-Source',
      'closed',
      ...config,
      '-OutputDirectory',
      out,
      '-NoCache',
    );
    expect([installed.code, installed.stderr]).toEqual([0, '']);
    expect(existsSync(join(out, 'kept.1.0.0'))).toBe(true);
    const listed = await nuget('list', '-Source', 'closed', ...config);
    expect([listed.code, listed.stdout]).toEqual([0, expect.stringContaining('kept 1.0.0')]);

    const refused = await nuget('search', 'kept', '-Source', index);
    expect(refused.stdout + refused.stderr).toMatch(/401/);
    await closed.stop();
  });
});
