import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { deflateRawSync } from 'node:zlib';
import AdmZip from 'adm-zip';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../formats/format-error.ts';
import { openNupkg, verifyContent } from '../../formats/nupkg.ts';
import { nuspec, nuspecText, tool, usePackages } from './packages.ts';
import { type RawEntry, rawZip, zip64Extra } from './raw-zip.ts';

const mebibyte = 1024 * 1024;

describe('Package', () => {
  const { folder, save, readAll, faultOf } = usePackages();

  it('returns its nuspec, its files and their content', async () => {
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

  it('reads several files at once, even if one is only read half', async () => {
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
    const huge = { packedBytes: 0xffffffff, bytes: 0xffffffff };
    expect(await readAll(rawZip({ entries: [nuspec, { ...big, local: huge }] }))).toHaveLength(2);
    const deferred: RawEntry = { ...tool, flags: 0x808, local: { crc: 0, packedBytes: 0, bytes: 0 } };
    expect(await readAll(rawZip({ entries: [nuspec, deferred] }))).toEqual(['a.nuspec', 'tools/a.exe']);
  });

  it('leaves nothing on disk but itself', async () => {
    const before = await readdir(folder());
    const path = await save(rawZip({ entries: [nuspec, tool] }));
    const nupkg = await openNupkg(path);
    await verifyContent(nupkg);
    await nupkg.close();
    await rm(path);
    expect(await readdir(folder())).toEqual(before);
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

  // Every name that must not be is in zip-name.test.ts; this is that they are asked for.
  it.each([
    'tools/../../evil.txt',
    'tools/%2E%2E%2f%2e%2e/evil.txt',
    '/etc/passwd',
    'tools\\evil.txt',
    'C:/evil.txt',
    'tools/con.txt',
    'a\r\nSet-Cookie: \u{1f600}"',
  ])('with an entry named %j is refused in one visible line', async (name) => {
    const fault = await faultOf({ entries: [nuspec, { name, content: 'x' }] });
    // yauzl itself already refuses some of them, in its own words.
    expect(['ZIP_NAME', 'ZIP_UNREADABLE']).toContain(fault.code);
    expect(fault.message).toMatch(/^[\x20-\x7e]+$/);
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

  it('that does not exist fails like the file system does', async () => {
    await expect(openNupkg(join(folder(), 'missing.nupkg'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(openNupkg(folder())).rejects.toThrow();
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
    const path = join(folder(), 'damaged.nupkg');
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
