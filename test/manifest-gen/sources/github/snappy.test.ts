import fc from 'fast-check';
import { snappyCompress } from 'hysnappy';
import { describe, expect, it } from 'vitest';
import { readSnappy } from '../../../../manifest-gen/sources/github/attestations.ts';

const most = 1024 * 1024;

describe('a snappy block', () => {
  it('is read back, whatever is in it', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 2_000 }),
      fc.tuple(fc.string(), fc.nat(3_000)).map(([text, times]) => Buffer.from(text.repeat(times))),
    );
    fc.assert(
      fc.property(bytes, (content) => {
        expect(readSnappy(Buffer.from(snappyCompress(content)), most)).toEqual(Buffer.from(content));
      }),
    );
  });

  it.each<[string, readonly number[], string]>([
    ['nothing in it', [0], ''],
    ['letters', [3, 2 << 2, 97, 98, 99], 'abc'],
    ['a length of a byte of its own', [3, 60 << 2, 2, 97, 98, 99], 'abc'],
    ['a copy that runs into itself', [9, 2 << 2, 97, 98, 99, ((6 - 4) << 2) | 1, 3], 'abcabcabc'],
    ['a copy with an offset of two bytes', [6, 2 << 2, 97, 98, 99, (2 << 2) | 2, 3, 0], 'abcabc'],
    ['a copy with an offset of four bytes', [6, 2 << 2, 97, 98, 99, (2 << 2) | 3, 3, 0, 0, 0], 'abcabc'],
  ])('with %s is read as the format says', (_, block, text) => {
    expect(readSnappy(Buffer.from(block), most)?.toString()).toBe(text);
  });

  it.each<[string, readonly number[]]>([
    ['is empty', []],
    ['breaks off in its length', [0x80, 0x80]],
    ['has a length without an end', [0x80, 0x80, 0x80, 0x80, 0x80, 1]],
    ['says that more is in it than may be', [0x81, 0x80, 0x40, 0, 97]],
    ['says that nearly everything is in it', [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 97]],
    ['breaks off in its letters', [3, 2 << 2, 97]],
    ['holds less than it says', [4, 2 << 2, 97, 98, 99]],
    ['holds more than it says', [2, 2 << 2, 97, 98, 99]],
    ['copies from before its beginning', [6, 2 << 2, 97, 98, 99, (2 << 2) | 2, 4, 0]],
    ['copies from where it is', [6, 2 << 2, 97, 98, 99, (2 << 2) | 2, 0, 0]],
    ['has letters whose length is negative in 32 bits', [10, 63 << 2, 0xfa, 0xff, 0xff, 0xff, 0, 0]],
  ])('that %s is invalid', (_, block) => {
    expect(readSnappy(Buffer.from(block), most)).toBeUndefined();
  });

  it('stops in limited time, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(299), fc.nat(255), (noise, at, byte) => {
        const block = Buffer.from(snappyCompress(Buffer.from('{"mediaType":"x"}'.repeat(20))));
        block[at % block.length] = byte;
        for (const bytes of [block, Buffer.from(noise)]) {
          expect(readSnappy(bytes, most)?.length ?? 0).toBeLessThanOrEqual(most);
        }
      }),
      { numRuns: 300 },
    );
  });
});
