import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestBytes } from '../../../../formats/digest.ts';
import type { BundleContent } from '../../../../manifest-gen/sources/bundle/format.ts';
import { readDigests } from '../../../../manifest-gen/sources/bundle/format.ts';
import { type BundleKey, loadOrMakeKey } from '../../../../manifest-gen/sources/bundle/key.ts';
import { type OpenBundle, openBundle } from '../../../../manifest-gen/sources/bundle/open-bundle.ts';
import { writeBundle } from '../../../../manifest-gen/sources/bundle/write-bundle.ts';
import { readFiles, signAgain, type TarContent, tarOf } from '../../../kit/bundle.ts';
import { hasProgram, mustRun } from '../../../kit/programs.ts';
import { makeTempDir } from '../../../kit/test-server.ts';
import { failureOf } from '../../../kit/upstream-fixture.ts';

describe('a bundle', () => {
  let dir: string;
  let key: BundleKey;
  let file: string;
  const exe = Buffer.from('MZ, the bytes of a program');

  beforeAll(async () => {
    dir = await makeTempDir();
    key = await loadOrMakeKey(join(dir, 'bundle.key'));
    file = join(dir, 'good.bundle');
    await write(file);
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  const content: BundleContent = {
    schema: 1,
    releases: [
      {
        tool: 'gadget',
        version: '1.2.3',
        kind: 'github',
        upstream: 'github.com/example/gadget@v1.2.3',
        fingerprint: '0'.repeat(64),
        assets: [{ architecture: 'amd64', name: 'gadget.exe', path: 'gadget/1.2.3/github/gadget.exe' }],
        sidecars: [{ name: 'checksums.txt', path: 'gadget/1.2.3/github/checksums.txt' }],
        record: 'gadget/1.2.3/github.release.json',
      },
    ],
    roots: [],
  };

  async function write(to: string, what = content): Promise<void> {
    const source = join(dir, 'gadget.exe');
    await writeFile(source, exe);
    const files = [
      { path: 'gadget/1.2.3/github/gadget.exe', source, digest: digestBytes(exe) },
      { path: 'gadget/1.2.3/github/checksums.txt', text: 'sums\n' },
      { path: 'gadget/1.2.3/github.release.json', text: '{}\n' },
    ];
    await writeBundle(to, what, files, key, new AbortController().signal);
  }

  async function open(path: string, keys = [key.publicKey]): Promise<OpenBundle> {
    const taken = join(dir, 'taken');
    await rm(taken, { recursive: true, force: true });
    await mkdir(taken);
    const { signal } = new AbortController();
    return openBundle({ file: path, keys, dir: taken, signal, onProgress: () => {} });
  }

  async function refusalOf(bytes: Buffer): Promise<Record<string, unknown>> {
    await writeFile(join(dir, 'bad.bundle'), bytes);
    return failureOf(open(join(dir, 'bad.bundle')));
  }

  const refused = { code: 'BUNDLE_REFUSED', exitCode: 3 };

  it('gives back what was written, and names who signed', async () => {
    const bundle = await open(file);

    expect(bundle.releases).toEqual(content.releases);
    expect(await readFile(bundle.fileAt('gadget/1.2.3/github/gadget.exe').path)).toEqual(exe);
    expect(bundle.fileAt('gadget/1.2.3/github/gadget.exe').digest).toEqual(digestBytes(exe));
    expect(key.publicKey).toMatch(/^RW/);
  });

  it('is the same bytes each time', async () => {
    await write(join(dir, 'again.bundle'));

    expect(await readFile(join(dir, 'again.bundle'))).toEqual(await readFile(file));
  });

  it('is refused when any single bit differs, and nothing of upstream is read', async () => {
    const good = await readFile(file);
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length * 8 - 1), async (bit) => {
        const bad = Buffer.from(good);
        bad[bit >> 3]! ^= 1 << (bit & 7);
        expect(await refusalOf(bad)).toMatchObject(refused);
      }),
      { numRuns: 150 },
    );
  });

  it('is refused when any bit of headers, signature and ends differs', async () => {
    const good = await readFile(file);
    // the first two headers, the whole signature, the last padding and the end: where no SHA-256 of a file looks
    const signature = good.indexOf('untrusted comment');
    const places = [
      ...range(0, 512),
      ...range(signature - 512, signature + 512),
      ...range(good.length - 1600, good.length),
    ];
    for (const at of places.filter((_, index) => index % 5 === 0)) {
      const bad = Buffer.from(good);
      bad[at]! ^= 1 << (at % 7);
      expect({ at, ...(await refusalOf(bad)) }).toMatchObject({ at, ...refused });
    }
  });

  it('is refused when it is cut off or goes on', async () => {
    const good = await readFile(file);
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), async (length) => {
        expect(await refusalOf(good.subarray(0, length))).toMatchObject(refused);
      }),
      { numRuns: 60 },
    );
    for (const more of [1, 512, 1024, 5000]) {
      expect(await refusalOf(Buffer.concat([good, Buffer.alloc(more)]))).toMatchObject(refused);
    }
  });

  it('is refused when it is by another key, or by nobody', async () => {
    const other = await loadOrMakeKey(join(dir, 'other.key'));
    expect(await failureOf(open(file, [other.publicKey]))).toMatchObject({
      ...refused,
      message: expect.stringContaining('signed by the unknown key'),
    });
    expect((await open(file, [other.publicKey, key.publicKey])).releases).toHaveLength(1);

    const [digests, _signature, ...rest] = await readFiles(file);
    expect(await refusalOf(await tarOf([digests!, ...rest]))).toMatchObject({
      ...refused,
      message: expect.stringContaining('expected digests.minisig'),
    });
    const empty = ['digests.minisig', Buffer.alloc(0)] as const;
    expect(await refusalOf(await tarOf([digests!, empty, ...rest]))).toMatchObject(refused);
  });

  it.each<[string, (files: TarContent) => TarContent]>([
    ['leads out of its folder', (files) => [...files, ['../../evil', exe]]],
    ['is absolute', (files) => [...files, ['/etc/passwd', exe]]],
    ['has a drive', (files) => [...files, ['C:/evil', exe]]],
    ['is there twice', (files) => [...files, files[1]!]],
    ['differs by case alone', (files) => [...files, ['GADGET/1.2.3/github/gadget.exe', exe]]],
    ['is missing', (files) => files.filter(([path]) => !path.endsWith('gadget.exe'))],
    ['comes before bundle.json', (files) => [...files].reverse()],
    ['is no JSON', (files) => files.map(([path, bytes]) => [path, path === 'bundle.json' ? exe : bytes])],
    [
      'says a newer schema',
      (files) =>
        files.map(([path, bytes]) => [
          path,
          Buffer.from(bytes.toString().replace('"schema": 1', '"schema": 2')),
        ]),
    ],
  ])('is refused when a file %s, also when the signature is right', async (_, change) => {
    const bad = await signAgain(file, join(dir, 'signed.bundle'), key, change);

    expect(await failureOf(open(bad))).toMatchObject(refused);
    expect((await readdir(dir)).sort()).not.toContain('evil');
  });

  it('is refused at the header of a file that is too large, before its bytes are read', async () => {
    const files = (await readFiles(file)).slice(0, 2);
    const huge = await tarOf([...files, ['bundle.json', Buffer.alloc(0)]]);
    const header = huge.subarray(huge.length - 1536, huge.length - 1024);
    header.write('77777777777\0', 124, 'latin1');
    const sum = header.reduce((all, byte, at) => all + (at >= 148 && at < 156 ? 32 : byte), 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');

    expect(await refusalOf(huge)).toMatchObject(refused);
  });

  it.each(['license', 'notes'] as const)(
    'is refused when it names %s that it does not have',
    async (name) => {
      const [release] = content.releases;
      const lacking = { ...content, releases: [{ ...release!, [name]: 'gadget/1.2.3/github.nowhere' }] };
      await write(join(dir, 'lacking.bundle'), lacking);

      expect(await failureOf(open(join(dir, 'lacking.bundle')))).toMatchObject({
        ...refused,
        message: expect.stringContaining('github.nowhere'),
      });
    },
  );

  it('that is not a file is exit 2', async () => {
    const wanted = { code: 'BUNDLE_UNREADABLE', exitCode: 2 };
    const missing = await failureOf(open(join(dir, 'nothing')));
    expect(missing).toMatchObject({
      ...wanted,
      message: expect.stringMatching(/nothing cannot be read: it is not there\.$/),
    });
    expect(await failureOf(open(dir))).toMatchObject(wanted);
  });

  it.skipIf(!hasProgram('minisign') || !hasProgram('sha256sum') || !hasProgram('tar'))(
    'is checked by tar, minisign and sha256sum alone too (needs them)',
    async () => {
      const cwd = join(dir, 'by-hand');
      await mkdir(cwd);
      await mustRun('tar', ['xf', file], { cwd });
      const said = await mustRun('minisign', ['-Vm', 'digests', '-P', key.publicKey], { cwd });
      expect(said).toContain('digests of a go-win-tools bundle');
      await mustRun('sha256sum', ['--check', '--strict', 'digests'], { cwd });
    },
  );
});

describe('the key of bundles', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await makeTempDir();
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  it('is made once, for its owner only', async () => {
    const file = join(dir, 'deep', 'bundle.key');
    const made = await loadOrMakeKey(file);
    const kept = await loadOrMakeKey(file);

    expect([made.isNew, kept.isNew]).toEqual([true, false]);
    expect(kept.publicKey).toBe(made.publicKey);
    if (process.platform !== 'win32') expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('may be one that openssl made, and no other kind', async () => {
    const pem = (type: 'ed25519' | 'x25519') =>
      (type === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('x25519')).privateKey.export(
        {
          format: 'pem',
          type: 'pkcs8',
        },
      );
    await writeFile(join(dir, 'own.key'), pem('ed25519'));
    expect((await loadOrMakeKey(join(dir, 'own.key'))).isNew).toBe(false);
    for (const text of [pem('x25519'), 'secret words', '']) {
      await writeFile(join(dir, 'bad.key'), text);
      const failure = await failureOf(loadOrMakeKey(join(dir, 'bad.key')));
      expect(failure).toMatchObject({ code: 'SETTINGS_INVALID', exitCode: 2 });
      expect(JSON.stringify(failure)).not.toContain('secret words');
    }
  });
});

describe('a list of digests', () => {
  it.each([
    [`${'a'.repeat(64)}  x\n${'b'.repeat(64)}  x/y\n`, 2],
    ['', 0],
    [`${'a'.repeat(64)}  x`, undefined],
    [`${'A'.repeat(64)}  x\n`, undefined],
    [`${'a'.repeat(64)} *x\n`, undefined],
    [`${'a'.repeat(64)}  ../x\n`, undefined],
    [`${'a'.repeat(64)}  x\n${'a'.repeat(64)}  X\n`, undefined],
    [`\n`, undefined],
  ])('%j has %j files', (text, count) => {
    expect(readDigests(text)?.length).toBe(count);
  });
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, at) => from + at);
}
