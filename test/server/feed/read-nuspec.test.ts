import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import AdmZip from 'adm-zip';
import { describe, expect, it } from 'vitest';
import { digestBytes } from '../../../formats/digest.ts';
import { readNuspecOf } from '../../../server/feed/read-nuspec.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { fullRow } from '../odata/rows.ts';

const nuspec =
  '\ufeff<?xml version="1.0"?>\n<package><metadata><id>big</id><odd>kept as it is</odd></metadata></package>';

/** A store of one blob that tells how much of it was read. */
function storeOf(bytes: Buffer) {
  const read = { bytes: 0 };
  return {
    read,
    row: { ...fullRow, ...digestBytes(bytes) },
    async open(_sha256: string, range = { start: 0, end: bytes.length - 1 }) {
      read.bytes += range.end - range.start + 1;
      return Readable.from([bytes.subarray(range.start, range.end + 1)]);
    },
  };
}

describe('the nuspec of a published package', () => {
  it('is read byte for byte, with little read of a large package', async () => {
    const files = { 'tools/noise.bin': randomBytes(2_000_000) };
    const store = storeOf(makeNupkg({ id: 'big', nuspec, files }));

    expect((await readNuspecOf(store, store.row)).toString()).toBe(nuspec);
    expect(store.row.sizeBytes).toBeGreaterThan(1_000_000);
    expect(store.read.bytes).toBeLessThan(500_000);
  });

  it('is found among thousands of files', async () => {
    const files = Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`a/${index}.txt`, 'x']));
    const store = storeOf(makeNupkg({ id: 'zzz', nuspec, files }));

    expect((await readNuspecOf(store, store.row)).toString()).toBe(nuspec);
    expect(store.read.bytes).toBeLessThan(3 * store.row.sizeBytes);
  });

  it('is reported as missing with a sentence', async () => {
    const zip = new AdmZip();
    zip.addFile('tools/only.nuspec', Buffer.from(nuspec));
    const store = storeOf(zip.toBuffer());

    await expect(readNuspecOf(store, store.row)).rejects.toMatchObject({ code: 'NUPKG_NO_NUSPEC' });
  });
});
