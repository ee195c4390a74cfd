import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Found } from '../../../../manifest-gen/release.ts';
import { findNewest } from '../../../../manifest-gen/sources/find-source.ts';
import { createNpm } from '../../../../manifest-gen/sources/npm/npm.ts';
import { unpack } from '../../../../manifest-gen/unpack/unpack.ts';
import { makeTinyExe } from '../../../kit/exe.ts';
import { type NpmPackage, type NpmRegistry, startNpmRegistry } from '../../../kit/npm-registry.ts';
import { hasProgram } from '../../../kit/programs.ts';
import {
  failureOf,
  makeTool,
  makeUpstreamFixture,
  type UpstreamFixture,
} from '../../../kit/upstream-fixture.ts';

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
let fixture: UpstreamFixture | undefined;
afterEach(async () => {
  await registry?.stop();
  await fixture?.stop();
});

async function npmWith(...packages: NpmPackage[]) {
  registry = await startNpmRegistry(packages);
  fixture = await makeUpstreamFixture({ env: registry.env });
  return { npm: createNpm(fixture.settings), ...fixture };
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

  it.skipIf(!hasNpm)('is refused when its bytes do not match the integrity (needs npm)', async () => {
    const integrity = `sha512-${Buffer.alloc(64, 1).toString('base64')}`;
    const { report, settings } = await npmWith({ ...x64, integrity });
    // npm would download it again after one second, and after five
    const npm = createNpm({ ...settings, retryPolicy: { ...settings.retryPolicy, attempts: 1 } });
    const found = (await npm.find(tool, '1.0.0')) as Found;
    expect(await failureOf(npm.fetch(found, report))).toMatchObject({ code: 'REFUSED', exitCode: 3 });
  });

  it.skipIf(!hasNpm)('is refused when the registry only has SHA-1 (needs npm)', async () => {
    const { npm } = await npmWith({ ...x64, integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' });
    expect(await failureOf(npm.find(tool, '1.0.0'))).toMatchObject({ code: 'REFUSED', exitCode: 3 });
  });

  it.skipIf(!hasNpm)('is old enough by its date in the registry (needs npm)', async () => {
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
    'has no date behind a mirror without dates, and is then too young (needs npm)',
    async () => {
      const { npm } = await npmWith({ ...x64, time: 'none' });
      const choice = { sources: [npm], others: [], isUnreachableSkipped: false, now: new Date() };

      expect(await findNewest(tool, choice)).toMatchObject({ version: '1.0.0', published: undefined });
      expect(await failureOf(findNewest({ ...tool, minAge: '1h' }, choice))).toMatchObject({
        code: 'VERSION_NONE',
      });
    },
  );

  it.skipIf(!hasNpm)(
    'that was never published is lacking, as a package and as a version (needs npm)',
    async () => {
      const { npm } = await npmWith({ ...x64, name: '@acme/other' });
      expect(await npm.find(tool, '1.0.0')).toMatchObject({ lacks: 'npm has no @acme/hello-x64@1.0.0' });
      expect(await npm.versions(tool)).toEqual([]);
    },
  );

  it('cannot be reached on a machine without npm, exit code 4', async () => {
    fixture = await makeUpstreamFixture({ env: { PATH: tmpdir(), Path: tmpdir() } });
    const npm = createNpm({ ...fixture.settings, nodePath: join(tmpdir(), 'node') });
    const failure = await failureOf(npm.find(tool, '1.0.0'));
    expect(failure).toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      exitCode: 4,
      message: expect.stringContaining('no npm'),
    });
  });
});
