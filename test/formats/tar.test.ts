import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTar, TarError, writeTar } from '../../formats/tar.ts';
import { makeNupkg } from '../kit/nupkg.ts';

async function* cut(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function tarOf(contents: readonly Uint8Array[]): Promise<Buffer> {
  const files = contents.map((bytes, at) => ({
    path: `blobs/${at}`,
    sizeBytes: bytes.length,
    bytes: cut(Buffer.from(bytes), 700),
  }));
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeTar(files, new Date(0))) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function read(tar: Buffer, pieceBytes: number): Promise<[string, string][]> {
  const found: [string, string][] = [];
  for await (const { path, bytes } of readTar(cut(tar, pieceBytes))) {
    found.push([path, (await buffer(bytes)).toString('hex')]);
  }
  return found;
}

const contents = fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 6 });

describe('a tar of plain files', () => {
  it('returns what was written, in whatever pieces it arrives', () =>
    fc.assert(
      fc.asyncProperty(contents, fc.integer({ min: 1, max: 5000 }), async (written, pieceBytes) => {
        const found = await read(await tarOf(written), pieceBytes);

        expect(found).toEqual(
          written.map((bytes, at) => [`blobs/${at}`, Buffer.from(bytes).toString('hex')]),
        );
      }),
      { numRuns: 50 },
    ));

  it('is refused wherever it is cut off', () =>
    fc.assert(
      fc.asyncProperty(contents, fc.nat(), async (written, at) => {
        const tar = await tarOf(written);
        // One of the two empty blocks at its end is enough.
        const short = tar.subarray(0, at % (tar.length - 512));

        await expect(read(short, 1000)).rejects.toBeInstanceOf(TarError);
      }),
      { numRuns: 50 },
    ));

  it('is refused with a TarError when it is something else, such as a nupkg or a database', async () => {
    const others = [makeNupkg({ id: 'a' }), Buffer.alloc(2048, 0xff), Buffer.alloc(2048, 'SQLite format 3')];
    for (const bytes of others) {
      const padded = Buffer.concat([bytes, Buffer.alloc(2048, 0xfe)]);
      await expect(read(padded, 1000)).rejects.toBeInstanceOf(TarError);
    }
  });

  it('gives nothing but files or a TarError, whatever the header is', () =>
    fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 512, maxLength: 1024 }), async (bytes) => {
        const outcome = await read(Buffer.from(bytes), 1000).catch((error: unknown) => error);

        expect(Array.isArray(outcome) || outcome instanceof TarError).toBe(true);
      }),
      { numRuns: 200 },
    ));

  it('gives nothing but files or a TarError, whatever byte is changed', () =>
    fc.assert(
      fc.asyncProperty(contents, fc.nat(), fc.integer({ min: 1, max: 255 }), async (written, at, mask) => {
        const tar = await tarOf(written);
        const place = at % tar.length;
        tar[place] = (tar[place] ?? 0) ^ mask;

        const outcome = await read(tar, 1000).catch((error: unknown) => error);

        expect(Array.isArray(outcome) || outcome instanceof TarError).toBe(true);
      }),
      { numRuns: 100 },
    ));

  it('is not written when a file has other bytes than it says', async () => {
    const files = [{ path: 'a', sizeBytes: 3, bytes: cut(Buffer.from('four'), 2) }];

    await expect(async () => {
      for await (const _ of writeTar(files, new Date(0)));
    }).rejects.toBeInstanceOf(TarError);
  });
});
