import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Found } from '../../../../manifest-gen/release.ts';
import { findNewest } from '../../../../manifest-gen/sources/find-source.ts';
import { createNpm } from '../../../../manifest-gen/sources/npm/npm.ts';
import { createCache } from '../../../../manifest-gen/system/cache/cache.ts';
import { loadTools } from '../../../../manifest-gen/tool-file/tools.ts';
import { unpack } from '../../../../manifest-gen/unpack/unpack.ts';
import { makeTinyExe } from '../../../kit/exe.ts';
import { type NpmPackage, type NpmRegistry, startNpmRegistry } from '../../../kit/npm-registry.ts';
import { hasProgram } from '../../../kit/programs.ts';
import { testCacheDir } from '../../../kit/test-cache.ts';
import { failureOf, makeTool, makeUpstreamWorld, type UpstreamWorld } from '../../../kit/upstream-world.ts';

const hasNpm = hasProgram('npm');
const exe = makeTinyExe();
const tool = makeTool({
  sources: [
    {
      kind: 'npm',
      packages: { amd64: '@acme/hello-x64', arm64: '@acme/hello-arm64' },
      member: 'package/bin/hello.exe',
    },
  ],
});
const x64: NpmPackage = { name: '@acme/hello-x64', version: '1.0.0', files: { 'bin/hello.exe': exe } };

let registry: NpmRegistry | undefined;
let world: UpstreamWorld | undefined;
afterEach(async () => {
  await registry?.stop();
  await world?.stop();
});

async function npmWith(...packages: NpmPackage[]) {
  registry = await startNpmRegistry(packages);
  world = await makeUpstreamWorld({ env: registry.env });
  return { npm: createNpm(world.settings), ...world };
}

describe('an npm package', () => {
  it.skipIf(!hasNpm)('is for amd64 alone when there is none for arm64 (needs npm)', async () => {
    const { npm } = await npmWith(x64);
    expect(await npm.find(tool, '1.0.0')).toMatchObject({
      upstream: 'npm:@acme/hello-x64@1.0.0',
      offers: [{ architecture: 'amd64' }],
    });
  });

  it.skipIf(!hasNpm)('gives its exe, with the integrity that the registry states (needs npm)', async () => {
    const { npm, report, settings } = await npmWith(x64);
    const fetched = await npm.fetch((await npm.find(tool, '1.0.0')) as Found, report);
    expect(fetched.assets[0]).toMatchObject({ name: 'acme-hello-x64-1.0.0.tgz' });
    expect(fetched.assets[0]!.stated).toEqual({ algorithm: 'sha512', hex: fetched.assets[0]!.digest.sha512 });
    const { exes } = await unpack(fetched, settings.cache);
    expect(await readFile(exes[0]!.path)).toEqual(exe);
  });

  it.skipIf(!hasNpm)('is refused when its bytes are not those of the integrity (needs npm)', async () => {
    const integrity = `sha512-${Buffer.alloc(64, 1).toString('base64')}`;
    const { npm, report } = await npmWith({ ...x64, integrity });
    const found = (await npm.find(tool, '1.0.0')) as Found;
    expect(await failureOf(npm.fetch(found, report))).toMatchObject({ code: 'REFUSED', exitCode: 3 });
  });

  it.skipIf(!hasNpm)('is refused when the registry vouches for it with SHA-1 alone (needs npm)', async () => {
    const { npm } = await npmWith({ ...x64, integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' });
    expect(await failureOf(npm.find(tool, '1.0.0'))).toMatchObject({ code: 'REFUSED', exitCode: 3 });
  });

  it.skipIf(!hasNpm)('is old enough by the date that the registry has of it (needs npm)', async () => {
    const { npm } = await npmWith(
      { ...x64, version: '1.0.1', time: '2026-05-01T00:00:00+00:00' },
      { ...x64, version: '1.0.2', time: '2026-05-05T12:00:00.613000+00:00' },
    );
    const now = new Date('2026-05-06T00:00:00Z');
    const choice = { sources: [npm], others: [], isUnreachableSkipped: false, now };
    const taken = async (minAge: string): Promise<Found> => findNewest({ ...tool, minAge }, choice);

    expect(await taken('1h')).toMatchObject({
      version: '1.0.2',
      published: new Date('2026-05-05T12:00:00.613Z'),
    });
    // the list, and each architecture's package once; npm asks about itself now and then
    expect(registry!.asked.filter((path) => path !== '/npm')).toEqual([
      '/@acme/hello-x64',
      '/@acme/hello-x64',
      '/@acme/hello-arm64',
    ]);
    expect(await taken('1d')).toMatchObject({ version: '1.0.1' });
  });

  it.skipIf(!hasNpm)(
    'has no date behind a mirror that has none, and is then too young for an age (needs npm)',
    async () => {
      const { npm } = await npmWith({ ...x64, time: 'none' });
      const choice = { sources: [npm], others: [], isUnreachableSkipped: false, now: new Date() };

      expect(await findNewest(tool, choice)).toMatchObject({ version: '1.0.0', published: undefined });
      expect(await failureOf(findNewest({ ...tool, minAge: '1h' }, choice))).toMatchObject({
        code: 'VERSION_UNKNOWN',
      });
    },
  );

  it.skipIf(!hasNpm)(
    'that nobody published is lacking, as a package and as a version (needs npm)',
    async () => {
      const { npm } = await npmWith({ ...x64, name: '@acme/other' });
      expect(await npm.find(tool, '1.0.0')).toMatchObject({ lacks: 'npm has no @acme/hello-x64@1.0.0' });
      expect(await npm.versions(tool)).toEqual([]);
    },
  );

  it('cannot be reached on a machine without npm, exit code 4', async () => {
    world = await makeUpstreamWorld({ env: { PATH: tmpdir(), Path: tmpdir() } });
    const npm = createNpm({ ...world.settings, nodePath: join(tmpdir(), 'node') });
    const failure = await failureOf(npm.find(tool, '1.0.0'));
    expect(failure).toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      exitCode: 4,
      message: expect.stringContaining('no npm'),
    });
  });
});

const hasRegistry = hasNpm && canReach();

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
    { timeout: 300_000 },
    async (version, amd64, arm64) => {
      world = await makeUpstreamWorld();
      const cache = createCache(testCacheDir);
      const npm = createNpm({ ...world.settings, cache });
      const buf = (await loadTools(join(process.cwd(), 'manifest-gen', 'tools'))).find(
        (one) => one.tool === 'buf',
      )!;

      const fetched = await npm.fetch((await npm.find(buf, version)) as Found, world.report);
      const { exes } = await unpack(fetched, cache);

      expect(exes.map(({ architecture, digest }) => [architecture, digest.sha256])).toEqual([
        ['amd64', amd64],
        ['arm64', arm64],
      ]);
    },
  );

  it.skipIf(!hasRegistry)('is found and 1.32.0 is not (needs npm and its registry)', async () => {
    world = await makeUpstreamWorld();
    const npm = createNpm(world.settings);
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
