import { createHash } from 'node:crypto';
import { constants, createDeflate, deflateSync } from 'node:zlib';

const types = { commit: 1, tree: 2, blob: 3, 'ofs-delta': 6 } as const;
type PackedObject = {
  readonly type: keyof typeof types;
  readonly size: number;
  readonly data: Buffer;
  readonly offset?: number;
};

/** A pack as gitformat-pack has it, of objects that git itself would not write. */
export function writePack(objects: readonly ((at: number) => PackedObject)[]): Buffer {
  const head = Buffer.alloc(12);
  head.write('PACK');
  head.writeUInt32BE(2, 4);
  head.writeUInt32BE(objects.length, 8);
  const parts = [head];
  let at = head.length;
  for (const make of objects) {
    const { type, size, data, offset } = make(at);
    const part = Buffer.concat([
      objectHead(types[type], size),
      offset === undefined ? Buffer.alloc(0) : offsetOf(offset),
      data,
    ]);
    parts.push(part);
    at += part.length;
  }
  const all = Buffer.concat(parts);
  return Buffer.concat([all, createHash('sha1').update(all).digest()]);
}

/** A file or folder of so many zeros, which takes a thousandth of that in the pack. */
export async function zeros(type: 'tree' | 'blob', size: number): Promise<(at: number) => PackedObject> {
  const deflate = createDeflate({ level: constants.Z_BEST_SPEED });
  const chunk = Buffer.alloc(1024 * 1024);
  const parts: Buffer[] = [];
  deflate.on('data', (part: Buffer) => parts.push(part));
  for (let left = size; left > 0; left -= chunk.length) {
    if (!deflate.write(left < chunk.length ? chunk.subarray(0, left) : chunk)) {
      await new Promise((resolve) => deflate.once('drain', resolve));
    }
  }
  await new Promise<void>((resolve) => deflate.end().once('end', resolve));
  return () => ({ type, size, data: Buffer.concat(parts) });
}

/** A blob, a delta that repeats it, and a delta that repeats that: some hundred bytes for `64 KiB * first * second`. */
export function deltaBomb(first: number, second: number): Buffer {
  const size = 0x10000;
  const places: number[] = [];
  const delta =
    (base: number, baseSize: number, copies: number, copySize: number) =>
    (at: number): PackedObject => {
      places.push(at);
      const copy = Buffer.from([0xf0, copySize & 0xff, (copySize >> 8) & 0xff, (copySize >> 16) & 0xff]);
      const text = Buffer.concat([
        varint(baseSize),
        varint(copies * copySize),
        ...Array<Buffer>(copies).fill(copy),
      ]);
      return {
        type: 'ofs-delta',
        size: text.length,
        data: deflateSync(text),
        offset: at - (places[base] ?? 0),
      };
    };
  const copied = size - 1;
  return writePack([
    (at) => {
      places.push(at);
      return { type: 'blob', size, data: deflateSync(Buffer.alloc(size, 'x')) };
    },
    delta(0, size, first, copied),
    delta(1, first * copied, second, first * copied),
  ]);
}

function objectHead(type: number, size: number): Buffer {
  const bytes: number[] = [];
  let rest = Math.floor(size / 16);
  let byte = (type << 4) | (size % 16);
  while (rest > 0) {
    bytes.push(byte | 0x80);
    byte = rest % 128;
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, byte]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}

/** gitformat-pack: base 128, the highest digit first, with one added at each step. */
function offsetOf(offset: number): Buffer {
  const bytes = [offset % 128];
  for (let rest = Math.floor(offset / 128); rest > 0; rest = Math.floor(rest / 128)) {
    rest -= 1;
    bytes.unshift(0x80 | (rest % 128));
  }
  return Buffer.from(bytes);
}
