import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import AdmZip from 'adm-zip';
import fc from 'fast-check';
import { create } from 'tar';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../../../formats/digest.ts';
import type { Asset, Fetched } from '../../../manifest-gen/release.ts';
import { unpackLimits } from '../../../manifest-gen/unpack/archive.ts';
import { unpack } from '../../../manifest-gen/unpack/unpack.ts';
import { type Cache, createCache } from '../../../system/cache/cache.ts';
import { hostileZips } from '../../formats/hostile-zips.ts';
import { rawZip } from '../../formats/raw-zip.ts';
import { nearly } from '../../hostile/mutate.ts';
import { makeTinyExe } from '../../kit/exe.ts';
import { failureOf, makeTool } from '../../kit/upstream-fixture.ts';

const exe = makeTinyExe({ filler: 'Some bytes that do not repeat themselves too often.' });
const other = makeTinyExe({ architecture: 'arm64' });
let dir: string;
let cache: Cache;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'unpack-'));
  cache = createCache(join(dir, 'cache'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

type Files = Readonly<Record<string, Buffer>>;

async function fetchedAs(name: string, bytes: Buffer, member?: string): Promise<Fetched> {
  const path = join(dir, name);
  await writeFile(path, bytes);
  const asset: Asset = { architecture: 'amd64', name, path, digest: digestBytes(bytes) };
  const source = {
    kind: 'github',
    repository: 'acme/hello',
    assets: { amd64: name },
    ...(member ? { member } : {}),
  };
  const tool = makeTool({ sources: [source] });
  const found = {
    tool,
    version: '1.2.3',
    kind: 'github' as const,
    upstream: 'github.com/acme/hello@v1.2.3',
    fingerprint: '',
    published: undefined,
    offers: [{ architecture: 'amd64' as const }],
    details: undefined,
  };
  return { found, assets: [asset], sidecars: [] };
}

function zip(files: Files): Buffer {
  const archive = new AdmZip();
  for (const [name, bytes] of Object.entries(files)) archive.addFile(name, bytes);
  return archive.toBuffer();
}

async function tgz(files: Files, links: Readonly<Record<string, string>> = {}): Promise<Buffer> {
  const root = await mkdtemp(join(dir, 'tgz-'));
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), bytes);
  }
  for (const [name, target] of Object.entries(links)) await symlink(target, join(root, name));
  const file = join(dir, 'made.tgz');
  await create({ cwd: root, gzip: true, file }, await readdir(root));
  return readFile(file);
}

const archives = [
  ['a zip', 'hello.zip', async (files: Files) => zip(files)],
  ['a tarball', 'hello.tgz', (files: Files) => tgz(files)],
] as const;

describe.each(archives)('the exe in %s', (_, name, make) => {
  it('is unpacked with its own digest, and the licence with it', async () => {
    const files = {
      'hello-1.2.3/bin/hello.exe': exe,
      'hello-1.2.3/LICENSE.md': Buffer.from('MIT'),
      README: Buffer.from('x'),
    };
    const fetched = await fetchedAs(name, await make(files), 'hello-{version}/bin/hello.exe');

    const { exes, licenseText } = await unpack(fetched, cache);

    expect(await readFile(exes[0]!.path)).toEqual(exe);
    expect(exes[0]!.digest).toEqual(digestBytes(exe));
    expect(licenseText).toBe('MIT');
  });

  it('is unpacked or refused, whatever was done to the bytes, and leaves nothing incomplete', async () => {
    const bytes = await make({ 'hello.exe': exe, LICENSE: Buffer.from('MIT') });
    await fc.assert(
      fc.asyncProperty(nearly([bytes]), async (changed) => {
        await unpack(await fetchedAs(name, changed, 'hello.exe'), cache).catch((error: unknown) => {
          expect(error).toMatchObject({ code: 'REFUSED' });
        });
        const left = await readdir(cache.rootDir, { recursive: true });
        expect(left.filter((file) => file.endsWith('.part'))).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  it('is taken alone: nothing else is written', async () => {
    const files = { 'hello.exe': exe, 'other.exe': exe, LICENSE: Buffer.from('MIT') };
    await unpack(await fetchedAs(name, await make(files), 'hello.exe'), cache);
    const written = await readdir(join(dir, 'cache'), { recursive: true, withFileTypes: true });
    expect(written.filter((entry) => entry.isFile()).map((entry) => entry.name)).toEqual(['hello.exe']);
  });

  it('is not confused with another one of the same name in the archive', async () => {
    const other = makeTinyExe({ architecture: 'arm64' });
    const fetched = await fetchedAs(
      name,
      await make({ 'amd64/hello.exe': exe, 'arm64/hello.exe': other }),
      '{architecture}/hello.exe',
    );
    const assets = [...fetched.assets, { ...fetched.assets[0]!, architecture: 'arm64' as const }];

    const { exes } = await unpack({ ...fetched, assets }, cache);

    expect(await Promise.all(exes.map(({ path }) => readFile(path)))).toEqual([exe, other]);
  });

  it('replaces a changed file from an earlier run', async () => {
    const fetched = await fetchedAs(name, await make({ 'hello.exe': exe }), 'hello.exe');
    const first = await unpack(fetched, cache);
    await writeFile(first.exes[0]!.path, 'changed');
    const { exes } = await unpack(fetched, cache);
    expect(await readFile(exes[0]!.path)).toEqual(exe);
  });

  const refusedAs = async (bytes: Buffer, limits = unpackLimits) => {
    const failure = await failureOf(unpack(await fetchedAs(name, bytes, 'hello.exe'), cache, limits));
    expect(failure).toMatchObject({ code: 'REFUSED', exitCode: 3 });
    const left = await readdir(join(dir, 'cache'), { recursive: true, withFileTypes: true });
    expect(left.filter((entry) => entry.isFile())).toEqual([]);
    return failure.message;
  };

  it('is refused when it is not there', async () => {
    expect(await refusedAs(await make({ 'bin/hello.exe': exe }))).toContain(
      'expected hello.exe in the archive',
    );
  });

  it('is refused when the archive is cut off', async () => {
    const bytes = await make({ 'hello.exe': exe, 'more.txt': exe });
    await refusedAs(bytes.subarray(0, Math.floor(bytes.length / 3)));
  });

  it('is refused when it is not an archive at all', async () => {
    await refusedAs(Buffer.from('<!DOCTYPE html><title>Oops</title>'.repeat(100)));
  });

  it('is refused when it is larger than allowed', async () => {
    await refusedAs(await make({ 'hello.exe': exe }), { ...unpackLimits, maxExeBytes: exe.length - 1 });
  });

  it('is not blamed when the cache cannot be written', async () => {
    const fetched = await fetchedAs(
      name,
      await make({ LICENSE: Buffer.from('MIT'), 'hello.exe': exe }),
      'hello.exe',
    );
    const lost = { ...cache, unpacked: async () => join(dir, 'nowhere') };
    await expect(unpack(fetched, lost)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is refused when the zip points beyond all files, and the process goes on', async () => {
    const lying = rawZip({
      entries: [],
      zip64: { directoryOffset: 2n ** 60n, count: 1n, recordOffset: 2n ** 60n },
    });

    const error = await failureOf(unpack(await fetchedAs('hello.zip', lying, 'hello.exe'), cache));

    expect(error.code).toBe('REFUSED');
  });

  it('is refused when the archive has more files than allowed', async () => {
    const files = { 'a.txt': exe, 'b.txt': exe, 'hello.exe': exe };
    await refusedAs(await make(files), { ...unpackLimits, maxEntries: 2 });
  });

  it('is refused when it is packed as no honest exe can be', async () => {
    await refusedAs(await make({ 'hello.exe': Buffer.alloc(64 * 1024 * 1024) }));
  });
});

describe('the exe in a zip', () => {
  it('is refused when its bytes are not those that were packed', async () => {
    const bytes = rawZip({
      entries: [{ name: 'hello.exe', content: exe, central: { crc: 1 }, local: { crc: 1 } }],
    });
    const failure = await failureOf(unpack(await fetchedAs('hello.zip', bytes, 'hello.exe'), cache));
    expect(failure).toMatchObject({ code: 'REFUSED', message: expect.stringContaining('CRC') });
  });

  it.each(hostileZips)(
    'with %s is refused like a pushed package, and nothing is written',
    async (_title, lies) => {
      const fetched = await fetchedAs('hello.zip', rawZip(lies), 'tools/a.exe');

      const failure = await failureOf(unpack(fetched, cache));

      expect(failure).toMatchObject({ code: 'REFUSED', exitCode: 3 });
      const left = await readdir(join(dir, 'cache'), { recursive: true, withFileTypes: true });
      expect(left.filter((entry) => entry.isFile())).toEqual([]);
    },
  );

  it('is unpacked next to a file whose name has a percent sign', async () => {
    const names = ['hello.exe', 'docs/100%.md'];
    const bytes = rawZip({ entries: names.map((name) => ({ name, content: exe })) });

    const { exes } = await unpack(await fetchedAs('hello.zip', bytes, 'hello.exe'), cache);

    expect(await readFile(exes[0]!.path)).toEqual(exe);
  });

  it('is refused with the message of the check', async () => {
    const lying = rawZip({
      entries: [
        { name: 'hello.exe', content: exe },
        { name: 'HELLO.exe', content: exe },
      ],
    });

    const { message } = await failureOf(unpack(await fetchedAs('hello.zip', lying, 'hello.exe'), cache));

    expect(message).toContain(
      'expected a zip archive that is safe to unpack, found that the zip entries "hello.exe" and "HELLO.exe" would be the same file on Windows.',
    );
  });
});

describe('a member with {version} and {architecture} in it', () => {
  it('differs between the archives', async () => {
    const files = {
      'hello-1.2.3-windows-amd64/hello.exe': exe,
      'hello-1.2.3-windows-arm64/hello.exe': other,
    };
    const member = 'hello-{version}-windows-{architecture}/hello.exe';
    const fetched = await fetchedAs('hello.zip', zip(files), member);
    const [asset] = fetched.assets;
    const both = { ...fetched, assets: [asset!, { ...asset!, architecture: 'arm64' as const }] };

    // the same archive twice: what differs is the place in it alone
    const { exes } = await unpack({ ...both, assets: [both.assets[0]!] }, cache);
    const { exes: armExes } = await unpack({ ...both, assets: [both.assets[1]!] }, cache);

    expect(exes[0]!.digest).toEqual(digestBytes(exe));
    expect(armExes[0]!.digest).toEqual(digestBytes(other));
  });
});

describe('the exe in a tarball', () => {
  it.skipIf(process.platform === 'win32')('is refused when it is a link', async () => {
    const bytes = await tgz({ 'other.exe': exe }, { 'hello.exe': 'other.exe' });
    const failure = await failureOf(unpack(await fetchedAs('hello.tgz', bytes, 'hello.exe'), cache));
    expect(failure).toMatchObject({ code: 'REFUSED', message: expect.stringContaining('SymbolicLink') });
  });
});

describe('a raw exe', () => {
  it('is the asset itself', async () => {
    const fetched = await fetchedAs('hello-Windows-x86_64.exe', exe);
    const { exes, licenseText } = await unpack(fetched, cache);
    expect(exes[0]).toMatchObject({ path: fetched.assets[0]!.path, digest: digestBytes(exe) });
    expect(licenseText).toBeUndefined();
  });
});
