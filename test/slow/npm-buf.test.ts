import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Found } from '../../manifest-gen/release.ts';
import { createNpm } from '../../manifest-gen/sources/npm/npm.ts';
import { unpack } from '../../manifest-gen/unpack/unpack.ts';
import { createCache } from '../../system/cache/cache.ts';
import { loadTools } from '../kit/load-tools.ts';
import { hasProgram } from '../kit/programs.ts';
import { testCacheDir } from '../kit/test-cache.ts';
import { makeUpstreamFixture, type UpstreamFixture } from '../kit/upstream-fixture.ts';
import { useDisk } from '../kit/use-disk.ts';

useDisk();

let fixture: UpstreamFixture | undefined;
afterEach(() => fixture?.stop());

const hasRegistry = hasProgram('npm') && canReach();

/**
 * SHA-256 of upstream's own buf-Windows-x86_64.exe, as ScoopInstaller/Main wrote it down at the release (8cb3681d, 1586087e,
 * 646c4dc4, 2aa6c164), and of what npm has for arm64 (spec upstream 4; 1.72.0's is upstream's too).
 */
const recorded = [
  [
    '1.15.0',
    'ef91161dd6ceb625d2c39566668df2467d811402194180315d0ad3464e256b88',
    'efef0f9c5bbb561f5487ece1396f00c7942e12368f8f74361b29f9ce756227a1',
  ],
  [
    '1.30.0',
    '581adb1eec6513866e77019dc506291453e3efdb086d0270fd35ee5972634472',
    '58a22acc2d5b02ddfc14e478ba01b70bd115393659fedd11699f984d80e4c6c9',
  ],
  [
    '1.31.0',
    'e256fb6c247e193c6848d57c8256dfb4bf8a4e0026e1515d1d730b0a6cea9243',
    '6ff60a0d6b1178b7816feecf2b3344f4eda79e34a2edbae24253926a131ee65e',
  ],
  [
    '1.72.0',
    '6e8f6d043e520bc81cae7b85d4cd6d93e57716a8a9842d5d18200191ee259cb5',
    'cc06910c1b69715b598fc8d1958538c86b656c05f6dd0a516dfa90c325dcbead',
  ],
] as const;

describe("buf from this machine's npm registry", () => {
  it.skipIf(!hasRegistry).each(recorded)(
    'is of %s what upstream released at its forge (needs npm and its registry)',
    async (version, amd64, arm64) => {
      fixture = await makeUpstreamFixture();
      const cache = createCache(testCacheDir);
      const npm = createNpm({ ...fixture.settings, cache });
      const buf = (await loadTools(join(process.cwd(), 'manifest-gen', 'tools'))).find(
        (one) => one.tool === 'buf',
      )!;

      const fetched = await npm.fetch((await npm.find(buf, version)) as Found, fixture.report);
      const { exes } = await unpack(fetched, cache);

      expect(exes.map(({ architecture, digest }) => [architecture, digest.sha256])).toEqual([
        ['amd64', amd64],
        ['arm64', arm64],
      ]);
    },
  );

  it.skipIf(!hasRegistry)('is found and 1.32.0 is not (needs npm and its registry)', async () => {
    fixture = await makeUpstreamFixture();
    const npm = createNpm(fixture.settings);
    const buf = (await loadTools(join(process.cwd(), 'manifest-gen', 'tools'))).find(
      (one) => one.tool === 'buf',
    )!;
    expect(await npm.find(buf, '1.31.0')).toMatchObject({
      offers: [{ architecture: 'amd64' }, { architecture: 'arm64' }],
    });
    expect(await npm.find(buf, '1.32.0')).toMatchObject({ lacks: expect.stringContaining('1.32.0') });
  });
});

function canReach(): boolean {
  try {
    const args = ['view', '@bufbuild/buf-win32-x64@1.31.0', 'version'];
    execFileSync('npm', args, {
      cwd: tmpdir(),
      timeout: 60_000,
      stdio: 'ignore',
      shell: process.platform === 'win32',
    });
    return true;
  } catch {
    return false;
  }
}
