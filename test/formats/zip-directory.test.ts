import { randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { nuspec, tool, usePackages } from './packages.ts';
import { type RawEntry, type RawZip, rawZip, zip64Extra } from './raw-zip.ts';

const mebibyte = 1024 * 1024;

describe('Directory of a package', () => {
  const { readAll, faultOf } = usePackages();

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
    // Next to bytes that do not shrink, the sums alone look harmless.
    const ballast: RawEntry = { name: 'tools/ballast', content: randomBytes(20_000), isStored: true };
    expect(await faultOf({ entries: [nuspec, zeros, ballast] })).toMatchObject({ code: 'ZIP_RATIO' });
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
      'ZIP_UNREADABLE',
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

  it('is refused when an entry reaches into it', async () => {
    const sizes = { packedBytes: 40, bytes: 40 };
    const reaching: RawEntry = { name: 'x', content: 'x', isStored: true, central: sizes, local: sizes };
    expect(await faultOf({ entries: [nuspec, reaching] })).toMatchObject({ code: 'ZIP_OVERLAP' });
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
});
