import { describe, expect, it } from 'vitest';
import { hostileZips } from './hostile-zips.ts';
import { nuspec, tool, usePackages } from './packages.ts';
import { type RawEntry, rawZip } from './raw-zip.ts';

const mebibyte = 1024 * 1024;

describe('Directory of a package', () => {
  const { readAll, faultOf } = usePackages();

  it.each(hostileZips)('with %s is refused', async (_title, zip, code) => {
    expect((await faultOf(zip)).code).toContain(code);
  });

  it('is checked against its limits', async () => {
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

  it('may have a small entry of one repeated byte, which does no harm', async () => {
    const zeros: RawEntry = { name: 'tools/zeros', content: Buffer.alloc(mebibyte / 2) };

    expect(await readAll(rawZip({ entries: [nuspec, zeros] }))).toHaveLength(2);
  });
});
