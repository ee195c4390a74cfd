import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNupkg } from '../kit/nupkg.ts';
import { run } from '../kit/programs.ts';
import { hasPwsh } from '../kit/psresourceget.ts';
import { makeTempDir, pushNupkg, startTestServer, type TestServer } from '../kit/test-server.ts';

/** The console of Visual Studio and PowerShell's own `Find-Package` read v3 through this module. */
describe.skipIf(!hasPwsh)('PackageManagement on a v3 source (needs pwsh)', () => {
  let server: TestServer;
  let dir: string;
  let lines: readonly string[];

  beforeAll(async () => {
    server = await startTestServer();
    for (const version of ['1.0.0', '1.1.0-beta1', '1.2.0']) {
      const nupkg = makeNupkg({ id: 'Lib.Net', version, metadata: { owners: 'Our team' } });
      expect((await pushNupkg(server, nupkg, server.adminKey)).status).toBe(201);
    }
    dir = await makeTempDir();
    const shown = '| ForEach-Object { "$($_.Name) $($_.Version)" }';
    const script = `
      $ErrorActionPreference = 'Stop'
      Register-PackageSource -Name ours -ProviderName NuGet -Location ${server.url}/v3/index.json -Trusted -Force | Out-Null
      "name:"; Find-Package Lib.Net -Source ours ${shown}
      "all:"; Find-Package Lib.Net -Source ours -AllVersions ${shown}
      "every:"; Find-Package -Source ours ${shown}
      "links:"; (Find-Package Lib.Net -Source ours).Links | ForEach-Object { "$($_.Relationship) $($_.HRef)" }
      "install:"; Install-Package Lib.Net -Source ours -Destination '${join(dir, 'out')}' -Force ${shown}`;
    const { code, stdout, stderr } = await run(
      'pwsh',
      ['-NoProfile', '-NonInteractive', '-Command', script],
      {
        cwd: dir,
        env: { HOME: dir, XDG_DATA_HOME: '', XDG_CONFIG_HOME: '', XDG_CACHE_HOME: '', NO_COLOR: '1' },
      },
    );
    expect(code, stderr).toBe(0);
    lines = stdout.trim().split(/\r?\n/);
  });
  afterAll(async () => {
    await server?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it('finds a package by its name, all of its versions and every package, and installs it', () => {
    expect(lines).toEqual([
      ...['name:', 'Lib.Net 1.2.0'],
      ...['all:', 'Lib.Net 1.2.0', 'Lib.Net 1.0.0'],
      ...['every:', 'Lib.Net 1.2.0'],
      // Not nuget.org's.
      ...['links:', `abuse ${server.url}/packages/lib.net/1.2.0/report`],
      ...['install:', 'Lib.Net 1.2.0'],
    ]);
  });
});
