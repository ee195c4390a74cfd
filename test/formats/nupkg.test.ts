import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { deflateRawSync } from 'node:zlib';
import AdmZip from 'adm-zip';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FormatError } from '../../formats/format-error.ts';
import { type NupkgLimits, openNupkg, verifyContent } from '../../formats/nupkg.ts';
import { type RawEntry, type RawZip, rawZip, zip64Extra } from './raw-zip.ts';

const nuspecText =
  '<package><metadata><id>a</id><version>1.0</version><authors>b</authors></metadata></package>';
const nuspec: RawEntry = { name: 'a.nuspec', content: nuspecText };
const tool: RawEntry = { name: 'tools/a.exe', content: 'MZ'.repeat(500) };
const mebibyte = 1024 * 1024;

describe('Package', () => {
  let folder = '';
  let count = 0;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nupkg-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function save(bytes: Uint8Array): Promise<string> {
    const path = join(folder, `${count++}.nupkg`);
    await writeFile(path, bytes);
    return path;
  }

  /** Opens it and reads all of it, as publication does. */
  async function readAll(bytes: Uint8Array, limits: Partial<NupkgLimits> = {}): Promise<string[]> {
    const nupkg = await openNupkg(await save(bytes), limits);
    try {
      await verifyContent(nupkg);
      return nupkg.entries.map(({ name }) => name);
    } finally {
      await nupkg.close();
    }
  }

  async function faultOf(zip: RawZip | Uint8Array, limits: Partial<NupkgLimits> = {}): Promise<FormatError> {
    const bytes = zip instanceof Uint8Array ? zip : rawZip(zip);
    const error = await readAll(bytes, limits).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FormatError);
    return error as FormatError;
  }

  it('tells its nuspec, its files and their content', async () => {
    const zip = rawZip({
      entries: [
        nuspec,
        { name: 'tools/' },
        tool,
        { name: '[Content_Types].xml', content: '<x/>', isStored: true },
      ],
    });
    const nupkg = await openNupkg(await save(zip));
    try {
      expect(nupkg.nuspec).toMatchObject({ id: 'a', version: '1.0' });
      expect(nupkg.nuspecText).toBe(nuspecText);
      expect(nupkg.entries.map(({ name, bytes }) => [name, bytes])).toEqual([
        ['a.nuspec', nuspecText.length],
        ['tools/a.exe', 1000],
        ['[Content_Types].xml', 4],
      ]);
      expect((await nupkg.readEntry('tools/a.exe', 1000)).toString()).toBe(tool.content);
      expect((await buffer(await nupkg.openEntry('[Content_Types].xml'))).toString()).toBe('<x/>');
      await expect(nupkg.readEntry('tools/a.exe', 999)).rejects.toMatchObject({
        code: 'ZIP_ENTRY_TOO_LARGE',
      });
      await expect(nupkg.readEntry('TOOLS/a.exe', 1000)).rejects.toMatchObject({ code: 'ZIP_ENTRY_MISSING' });
      await expect(nupkg.openEntry('tools/')).rejects.toMatchObject({ code: 'ZIP_ENTRY_MISSING' });
    } finally {
      await nupkg.close();
    }
  });

  it('gives several files at once, and lets one be left half read', async () => {
    const zip = new AdmZip();
    zip.addFile('a.nuspec', Buffer.from(nuspecText));
    const contents = ['x', 'y', 'z'].map((name) => Buffer.alloc(3 * mebibyte, name));
    for (const [index, content] of contents.entries()) zip.addFile(`tools/${index}`, content);
    const nupkg = await openNupkg(await save(zip.toBuffer()), { maxRatio: 2000 });
    const half = await nupkg.openEntry('tools/0');
    for await (const _chunk of half) break;
    const read = await Promise.all(
      contents.map((_content, index) => nupkg.readEntry(`tools/${index}`, 3 * mebibyte)),
    );
    expect(read.map((bytes, index) => bytes.equals(contents[index]!))).toEqual([true, true, true]);
    await nupkg.close();
  });

  it('is read with zip64 records and with sizes after the content', async () => {
    const big: RawEntry = {
      ...tool,
      central: { packedBytes: 0xffffffff, bytes: 0xffffffff },
      extra: zip64Extra(1000n, BigInt(deflateRawSync(tool.content as string).length)),
    };
    expect(await readAll(rawZip({ entries: [nuspec, big], zip64: {} }))).toEqual(['a.nuspec', 'tools/a.exe']);
    const deferred: RawEntry = { ...tool, flags: 0x808, local: { crc: 0, packedBytes: 0, bytes: 0 } };
    expect(await readAll(rawZip({ entries: [nuspec, deferred] }))).toEqual(['a.nuspec', 'tools/a.exe']);
  });

  it('leaves nothing on disk but itself', async () => {
    const before = await readdir(folder);
    const path = await save(rawZip({ entries: [nuspec, tool] }));
    const nupkg = await openNupkg(path);
    await verifyContent(nupkg);
    await nupkg.close();
    await rm(path);
    expect(await readdir(folder)).toEqual(before);
  });

  it.each([
    ['no nuspec', [tool], 'NUPKG_NO_NUSPEC'],
    ['no entry', [], 'NUPKG_NO_NUSPEC'],
    ['its nuspec in a folder', [{ ...nuspec, name: 'tools/a.nuspec' }], 'NUPKG_NO_NUSPEC'],
    ['two nuspecs', [nuspec, { ...nuspec, name: 'b.NUSPEC' }], 'NUPKG_MANY_NUSPECS'],
    ['a nuspec that is none', [{ ...nuspec, content: '<html/>' }], 'NUSPEC_SHAPE'],
    ['a nuspec with an entity bomb', [{ ...nuspec, content: `<!DOCTYPE a>${nuspecText}` }], 'XML_DTD'],
    [
      'a huge nuspec',
      [{ ...nuspec, content: `${nuspecText}${' '.repeat(mebibyte)}`, isStored: true }],
      'ZIP_ENTRY_TOO_LARGE',
    ],
  ] as const)('with %s is refused', async (_fault, entries, code) => {
    expect(await faultOf({ entries })).toMatchObject({ code });
  });

  it.each([
    '../evil.txt',
    'tools/../../evil.txt',
    'tools/..',
    '%2e%2e/evil.txt',
    'tools/%2E%2E%2f%2e%2e/evil.txt',
    'tools/%5c..%5cevil.txt',
    '/etc/passwd',
    '%2fetc/passwd',
    'C:/evil.txt',
    'C:evil.txt',
    '\\\\server\\share\\evil.txt',
    'tools\\evil.txt',
    'tools/a.exe:stream',
    'tools/a.exe%3Astream',
    'CON',
    'tools/con.txt',
    'tools/Aux',
    'NUL .txt',
    'lpt1.a.b',
    'com¹.txt',
    'tools/a.exe.',
    'tools/a.exe ',
    'tools./a.exe',
    './a.exe',
    'tools//a.exe',
    '/',
    'a\u0000b',
    'a\nb',
    'a%00b',
    'a*b',
    'a?b',
    'a|b',
    'a"b',
    'a%b',
    'x'.repeat(201),
  ])('with an entry named %j is refused', async (name) => {
    const fault = await faultOf({ entries: [nuspec, { name, content: 'x' }] });
    // yauzl itself already refuses some of them, in its own words.
    expect(['ZIP_NAME', 'ZIP_UNREADABLE']).toContain(fault.code);
    expect(fault.message).toMatch(/^[\x20-\x7e]+$/);
  });

  it.each([
    'tools/my%20file.txt',
    'tools/my file.txt',
    'tools/ünï.txt',
    'tools/a+b(c)[d]{e}.txt',
    'tools/..a',
    'tools/...a/b',
    'console.txt',
    'tools/com.txt',
    'package/services/metadata/core-properties/0123.psmdcp',
  ])('may have an entry named %j', async (name) => {
    expect(await readAll(rawZip({ entries: [nuspec, { name, content: 'x' }] }))).toContain(name);
  });

  it.each([
    ['twice', 'tools/a.exe', 'tools/a.exe'],
    ['twice but for case', 'tools/a.exe', 'Tools/A.EXE'],
    ['twice but for encoding', 'tools/a b', 'tools/a%20b'],
    ['twice but for composition', 'tools/\u00e9', 'tools/e\u0301'],
    ['as file and as folder', 'tools', 'tools/a.exe'],
    ['as file and as explicit folder', 'tools/a', 'tools/A/'],
    ['as file and as folder deep down', 'a/B', 'A/b/c/d'],
  ])('with a name %s is refused', async (_how, first, second) => {
    const entries = [
      nuspec,
      { name: first, content: first.endsWith('/') ? '' : 'x' },
      { name: second, content: '' },
    ];
    expect(await faultOf({ entries })).toMatchObject({ code: 'ZIP_NAME_TWICE' });
  });

  it('is held to its limits', async () => {
    const entries = [nuspec, tool, { ...tool, name: 'tools/b.exe' }];
    expect(await faultOf({ entries }, { maxEntries: 2 })).toMatchObject({ code: 'ZIP_TOO_MANY' });
    expect(await faultOf({ entries }, { maxEntryBytes: 999 })).toMatchObject({ code: 'ZIP_ENTRY_TOO_LARGE' });
    expect(await faultOf({ entries }, { maxTotalBytes: 2000 })).toMatchObject({
      code: 'ZIP_TOTAL_TOO_LARGE',
    });
    expect(
      await readAll(rawZip({ entries }), { maxEntries: 3, maxEntryBytes: 1000, maxTotalBytes: 3000 }),
    ).toHaveLength(3);
  });

  it('is refused as a bomb, be it one entry or many', async () => {
    const zeros: RawEntry = { name: 'tools/zeros', content: Buffer.alloc(2 * mebibyte) };
    expect(await faultOf({ entries: [nuspec, zeros] })).toMatchObject({ code: 'ZIP_RATIO' });
    const many = Array.from({ length: 8 }, (_, index) => ({
      name: `tools/${index}`,
      content: Buffer.alloc(mebibyte / 2),
    }));
    expect(await faultOf({ entries: [nuspec, ...many] })).toMatchObject({ code: 'ZIP_RATIO' });
    const one = [nuspec, { ...zeros, content: Buffer.alloc(mebibyte / 2) }];
    expect(await readAll(rawZip({ entries: one }))).toHaveLength(2);
  });

  it.each([
    ['encrypted', { flags: 0x801, packed: Buffer.alloc(20) }, 'ZIP_ENTRY_KIND'],
    ['strongly encrypted', { flags: 0x841, packed: Buffer.alloc(20) }, 'ZIP_UNREADABLE'],
    ['compressed by LZMA', { method: 14 }, 'ZIP_ENTRY_KIND'],
    ['a symbolic link', { madeBy: 0x314, externalAttributes: 0xa1ff0000 }, 'ZIP_ENTRY_KIND'],
    ['a device', { madeBy: 0x314, externalAttributes: 0x21ff0000 }, 'ZIP_ENTRY_KIND'],
    ['a folder with content', { name: 'tools/x/' }, 'ZIP_ENTRY_KIND'],
    [
      'stored with two sizes',
      { isStored: true, central: { packedBytes: 999 }, local: { packedBytes: 999 } },
      'ZIP_',
    ],
    ['damaged', { central: { crc: 1 }, local: { crc: 1 } }, 'ZIP_CHECKSUM'],
    ['damaged and stored', { isStored: true, packed: Buffer.alloc(1000, 'x') }, 'ZIP_CHECKSUM'],
    ['no deflate stream', { packed: Buffer.alloc(20, 0xff) }, 'ZIP_UNREADABLE'],
    ['cut short', { packed: deflateRawSync('MZ'.repeat(500)).subarray(0, 5) }, 'ZIP_UNREADABLE'],
    ['longer than it says', { central: { bytes: 10 }, local: { bytes: 10 } }, 'ZIP_UNREADABLE'],
    ['shorter than it says', { central: { bytes: 2000 }, local: { bytes: 2000 } }, 'ZIP_UNREADABLE'],
    ['named otherwise in its own header', { local: { name: 'tools/b.exe' } }, 'ZIP_HEADERS_DIFFER'],
    ['packed otherwise in its own header', { local: { method: 0 } }, 'ZIP_HEADERS_DIFFER'],
    ['encrypted in its own header', { local: { flags: 0x801 } }, 'ZIP_HEADERS_DIFFER'],
    ['of another checksum in its own header', { local: { crc: 7 } }, 'ZIP_HEADERS_DIFFER'],
    ['of another size in its own header', { local: { bytes: 7 } }, 'ZIP_HEADERS_DIFFER'],
    ['of another packed size in its own header', { local: { packedBytes: 7 } }, 'ZIP_HEADERS_DIFFER'],
    ['far beyond the file', { offset: 0x7fffffff }, 'ZIP_UNREADABLE'],
    ['placed at no header', { offset: 3 }, 'ZIP_'],
    [
      'in zip64 beyond all numbers',
      { central: { bytes: 0xffffffff }, extra: zip64Extra(2n ** 64n - 1n) },
      'ZIP_ENTRY_TOO_LARGE',
    ],
    ['in zip64 at no place', { offset: 0xffffffff, extra: zip64Extra(2n ** 63n) }, 'ZIP_'],
    ['in zip64 without its field', { central: { bytes: 0xffffffff } }, 'ZIP_'],
    ['with a broken extra field', { extra: Buffer.from([1, 0, 200, 0, 1]) }, 'ZIP_UNREADABLE'],
  ] as const)('with an entry that is %s is refused', async (_fault, lie, code) => {
    expect((await faultOf({ entries: [nuspec, { ...tool, ...lie }] })).code).toContain(code);
  });

  it('is refused when entries share bytes', async () => {
    const inner = rawZip({ entries: [{ name: 'b', content: 'x' }] });
    const shared: RawZip = { entries: [nuspec, tool, { ...tool, offset: 0, name: 'a.nuspec2' }] };
    expect(await faultOf(shared)).toMatchObject({ code: 'ZIP_OVERLAP' });
    const nested: RawEntry = { name: 'outer', content: inner, isStored: true };
    const outerStart = rawZip({ entries: [nuspec] }).length - 22 - (46 + 'a.nuspec'.length);
    const inside: RawEntry = { name: 'b', content: 'x', offset: outerStart + 30 + 'outer'.length };
    expect(await faultOf({ entries: [nuspec, nested, inside] })).toMatchObject({ code: 'ZIP_OVERLAP' });
  });

  it.each([
    ['counts too few', { end: { count: 1 } }, 'ZIP_HIDDEN_ENTRIES'],
    ['counts too many', { end: { count: 3 } }, 'ZIP_UNREADABLE'],
    ['places the directory at the end', { end: { directoryOffset: 0xfffffff0 } }, 'ZIP_UNREADABLE'],
    ['places the directory at an entry', { end: { directoryOffset: 0 } }, 'ZIP_UNREADABLE'],
    ['counts 2^64 in zip64', { zip64: { count: 2n ** 64n - 1n } }, 'ZIP_TOO_MANY'],
    ['counts none in zip64', { zip64: { count: 0n } }, 'ZIP_HIDDEN_ENTRIES'],
    ['places the directory at 2^64', { zip64: { directoryOffset: 2n ** 64n - 1n } }, 'ZIP_UNREADABLE'],
    // yauzl's own reader of files ends the process over this one.
    ['places the zip64 record at 2^64', { zip64: { recordOffset: 2n ** 64n - 1n } }, 'ZIP_UNREADABLE'],
    ['places the zip64 record anywhere', { zip64: { recordOffset: 5n } }, 'ZIP_UNREADABLE'],
  ] as const)('whose end record %s is refused', async (_lie, lies, code) => {
    expect(await faultOf({ entries: [nuspec, tool], ...lies })).toMatchObject({ code });
  });

  it.each([
    ['empty', Buffer.alloc(0)],
    ['text', Buffer.from('<html>Sign in</html>')],
    ['cut off', rawZip({ entries: [nuspec, tool] }).subarray(0, -10)],
    ['followed by other bytes', Buffer.concat([rawZip({ entries: [nuspec, tool] }), Buffer.alloc(5)])],
    [
      'another zip in its comment',
      rawZip({ entries: [nuspec], end: { comment: rawZip({ entries: [tool] }) } }),
    ],
  ])('that is %s is refused', async (_what, bytes) => {
    expect((await faultOf(bytes)).code).toMatch(/^(?:ZIP_|NUPKG_)/);
  });

  it('that is not there fails as the file system does', async () => {
    await expect(openNupkg(join(folder, 'missing.nupkg'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(openNupkg(folder)).rejects.toThrow();
  });

  it('is one visible line in every sentence, whatever its names', async () => {
    const fault = await faultOf({ entries: [nuspec, { name: 'a\r\nSet-Cookie: \u{1f600}"', content: 'x' }] });
    expect(fault.message).toMatch(/^[\x20-\x7e]+$/);
  });

  it('that is damaged anywhere is read or refused with a FormatError', async () => {
    const good = rawZip({
      entries: [nuspec, tool, { name: 'tools/' }, { name: 'b', content: 'b', isStored: true }],
      zip64: {},
    });
    const damage = fc.array(
      fc.tuple(
        fc.nat({ max: good.length - 1 }),
        fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat({ max: 255 })),
      ),
      { minLength: 1, maxLength: 6 },
    );
    const bytes = fc.oneof(
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
      {
        weight: 8,
        arbitrary: damage.map((changes) => {
          const copy = Buffer.from(good);
          for (const [at, value] of changes) copy[at] = value;
          return copy;
        }),
      },
      { weight: 2, arbitrary: fc.nat({ max: good.length }).map((length) => good.subarray(0, length)) },
    );
    const path = join(folder, 'damaged.nupkg');
    await fc.assert(
      fc.asyncProperty(bytes, async (content) => {
        await writeFile(path, content);
        try {
          const nupkg = await openNupkg(path);
          await verifyContent(nupkg).finally(() => nupkg.close());
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 1500 },
    );
  });
});
