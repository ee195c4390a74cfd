import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openGo } from '../../go-command/command.ts';
import type { Found } from '../../manifest-gen/release.ts';
import { readLicenses } from '../../manifest-gen/sources/go-module/licenses.ts';
import { createGoModule } from '../../manifest-gen/sources/go-module/module.ts';
import { proveModules } from '../../manifest-gen/sources/go-module/proof.ts';
import type { Upstream } from '../../manifest-gen/sources/upstream.ts';
import type { Tool } from '../../manifest-gen/tool-file/tools.ts';
import { keyOfSetting } from '../../manifest-gen/verify/checksum-database/note.ts';
import { proveSums } from '../../manifest-gen/verify/checksum-database/proof.ts';
import { createCache } from '../../system/cache/cache.ts';
import { loadTools } from '../kit/load-tools.ts';
import { hasProgram } from '../kit/programs.ts';
import { testCacheDir } from '../kit/test-cache.ts';
import { makeUpstreamFixture, type UpstreamFixture } from '../kit/upstream-fixture.ts';

const hasGo = hasProgram('go');

/** The module proxy of this machine, asked once; a machine without internet skips by name. */
const hasProxy = hasGo && canReach();

describe('delve 1.22.0 from the Go module proxy of this machine', () => {
  let upstream: Upstream;
  let delve: Tool;
  let fixture: UpstreamFixture;
  beforeAll(async () => {
    fixture = await makeUpstreamFixture();
    // kept between runs: toolchain and build would be most of the time of the whole suite
    upstream = createGoModule({ ...fixture.settings, cache: createCache(testCacheDir) });
    delve = (await loadTools(join(process.cwd(), 'manifest-gen', 'tools'))).find(
      ({ tool }) => tool === 'delve',
    )!;
  });
  afterAll(() => fixture.stop());

  it.skipIf(!hasProxy)(
    'is built by the last Go of its minor, with its sum vouched for (needs go and its proxy)',
    async () => {
      const found = (await upstream.find(delve, '1.22.0')) as Found;
      expect(found).toMatchObject({
        upstream: 'github.com/go-delve/delve@v1.22.0',
        offers: [{ architecture: 'amd64' }, { architecture: 'arm64' }],
      });
      expect(found.published).toEqual(new Date('2023-12-29T22:48:07Z'));
      expect(JSON.stringify(found.details)).toContain('go1.21.13');
      expect(JSON.stringify(found.details)).toContain('h1:c7GOFs49/jMGHdp10KphKkGqNmLjOp7fcwz1MQwcMlw=');
    },
  );

  it.skipIf(!hasProxy)(
    'makes the same exes on every machine (needs go and its proxy)',
    { timeout: 900_000 },
    async () => {
      const fetched = await upstream.fetch((await upstream.find(delve, '1.22.0')) as Found, fixture.report);
      const { assets, licenses = {} } = fetched;
      expect(assets.map(({ digest }) => digest.sha256)).toEqual([
        'c528a3d94598804dadd7c010ae57cd1c4e577c49604e6c76677bb03dfb7b3d51',
        '4f2191964168fa9fc54438d098bd7eb5df959af8048b742066df8e16ed7be70e',
      ]);
      expect(assets.map(({ goModule }) => goModule!.tags)).toEqual(['', 'exp.winarm64']);
      expect(licenses).toMatchObject({
        'github.com/spf13/cobra@v1.7.0': 'Apache-2.0',
        'github.com/hashicorp/golang-lru@v1.0.2': 'MPL-2.0',
        'golang.org/x/sys@v0.13.0': 'BSD-3-Clause',
      });
      // another machine, which has the exes and none of their modules
      const go = await openGo(fixture.settings, { tool: 'delve', version: '1.22.0', kind: 'go-module' });
      expect(await readLicenses(go, assets, { tool: 'delve', version: '1.22.0', kind: 'go-module' })).toEqual(
        licenses,
      );
    },
  );

  const hasDatabase = hasProxy && keyOfSetting(goEnv('GOSUMDB')) !== undefined;
  it.skipIf(!hasDatabase)(
    'and other modules are proved to be in the checksum database (needs go, its proxy and checksum database)',
    async () => {
      const about = { tool: 'delve', version: '1.22.0', kind: 'go-module' } as const;
      const cache = createCache(testCacheDir);
      const modules = [
        { path: 'github.com/go-delve/delve', version: 'v1.22.0', sum: '' },
        { path: 'github.com/BurntSushi/toml', version: 'v1.3.2', sum: '' },
      ];
      const proof = await proveModules(
        await openGo({ ...fixture.settings, cache }, about),
        cache,
        modules,
        about,
      );
      expect(proveSums(proof!, keyOfSetting(goEnv('GOSUMDB'))!)).toEqual({
        sums: new Map([
          ['github.com/BurntSushi/toml@v1.3.2', 'h1:o7IhLm0Msx3BaB+n3Ag7L8EVlByGnpq14C4YWiu/gL8='],
          ['github.com/go-delve/delve@v1.22.0', 'h1:c7GOFs49/jMGHdp10KphKkGqNmLjOp7fcwz1MQwcMlw='],
        ]),
      });
    },
  );

  it.skipIf(!hasProxy)('lacks a version that was never released (needs go and its proxy)', async () => {
    expect(await upstream.find(delve, '1.98.76')).toMatchObject({
      kind: 'go-module',
      lacks: expect.any(String),
    });
  });
});

function goEnv(name: string): string {
  return execFileSync('go', ['env', name], { encoding: 'utf8' }).trim();
}

function canReach(): boolean {
  try {
    const env = { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=mod' };
    execFileSync('go', ['list', '-m', 'github.com/go-delve/delve@v1.22.0'], {
      cwd: tmpdir(),
      env,
      timeout: 60_000,
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}
