import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDigester, digestBytes, digestFile } from '../../formats/digest.ts';

describe('Digest', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'digest-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('is the published one of an empty file and of abc', () => {
    expect(digestBytes(Buffer.alloc(0))).toEqual({
      sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      sha512:
        'cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
      sizeBytes: 0,
    });
    expect(digestBytes(Buffer.from('abc')).sha256).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  it('is the same for bytes, for a file and for a stream in any pieces', async () => {
    const path = join(folder, 'bytes');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 })), async (chunks) => {
        const bytes = Buffer.concat(chunks);
        await writeFile(path, bytes);
        const digester = createDigester();
        const [through] = await Promise.all([
          buffer(digester),
          pipeline(Readable.from(chunks, { objectMode: false }), digester),
        ]);
        expect(through.equals(bytes)).toBe(true);
        expect(digester.digest()).toEqual(digestBytes(bytes));
        expect(await digestFile(path)).toEqual(digestBytes(bytes));
        expect(digestBytes(bytes).sha512).toBe(createHash('sha512').update(bytes).digest('hex'));
      }),
      { numRuns: 30 },
    );
  });

  it('is not available before the stream has ended', () => {
    const digester = createDigester();
    digester.write('half');
    expect(() => digester.digest()).toThrow('once the stream has ended');
  });

  it('can be read more than once', () => {
    expect(digestBytes(Buffer.from('a'))).toEqual(digestBytes(Buffer.from('a')));
  });

  it('of a missing file fails like the file system does', async () => {
    await expect(digestFile(join(folder, 'missing'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
